import { ConfigError, isConsiliumError } from '../errors';
import type { JobSpec } from '../jobs/job-spec';
import { isNetwork } from '../jobs/model-spec';
import { createModel } from '../nn/model';
import { openPredictor } from '../nn/predictor';
import { perAxis } from '../util/per-axis';

/**
 * Opens the job's network at its smallest size on the job's execution provider, so that a missing one is found before a run
 * begins. The CPU is always there.
 *
 * @throws ConfigError naming the provider and what to install.
 */
export async function checkProvider({ engine, model: spec }: JobSpec): Promise<void> {
  const { provider } = engine;
  if (provider === 'cpu' || !isNetwork(spec)) return;
  const model = createModel(spec);
  const size = perAxis(model.spatialDims, model.spatialDivisor);
  try {
    await openPredictor({ model, inputShape: [1, model.inChannels, ...size], threads: 1, provider });
  } catch (error) {
    if (!isConsiliumError(error, 'EngineError')) throw error;
    throw new ConfigError(`--gpu ${provider} cannot be used here: ${error.message.trim()}`, {
      ...(error.hint !== undefined && { hint: `${error.hint} Or leave --gpu out to train on the CPU.` }),
    });
  }
}
