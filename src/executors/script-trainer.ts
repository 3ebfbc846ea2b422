import { ConfigError } from '../errors';
import type { ScriptTrainerSpec } from '../jobs/trainer-spec';
import type { Trainer } from './trainer';
import type { TrainingSite } from './training-site';

export function scriptTrainer(spec: ScriptTrainerSpec, _site: TrainingSite): Trainer {
  throw new ConfigError(`The script '${spec.script}' cannot be run yet.`);
}
