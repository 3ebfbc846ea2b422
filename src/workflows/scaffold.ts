/**
 * SCAFFOLD (Karimireddy et al. 2020, https://arxiv.org/abs/1910.06378): control variates take the drift of sites with different
 * data out of their local steps.
 *
 * Every site keeps a control variate c_i, the server keeps c, both zero at first. In a round, the sampled sites S train the
 * model x with gradients corrected by c − c_i (`executors/control-variates.ts`) and send Δy and Δc. The server moves
 *
 *     x ← x + mean Δy        c ← c + |S|/N · mean Δc
 *
 * with the job's aggregator for both means; the paper's are unweighted. A server optimiser of kind `sgd` has the paper's η_g as
 * its learning rate. c travels with the model, under names of its own, so filters, journal and checkpoints see it.
 *
 * @module
 */
import { positiveVariances } from '../aggregators/positive-variances';
import { rounded, serverStep } from '../aggregators/server-optimisers/server-step';
import type { ServerOptimiserSettings } from '../jobs/server-optimiser-spec';
import { joinControls, splitControls } from '../protocol/control-variates';
import type { Task } from '../protocol/messages';
import { allocate, type NamedTensors, type Tensor } from '../tensor/tensor';
import { askSites } from './ask-sites';
import { aggregateOf, finalEvaluation, foldingInto, type RoundsSpec, trainingRounds } from './training-rounds';
import type { RoundReport, WorkflowParts, WorkflowState } from './workflow';

export interface ScaffoldSpec extends RoundsSpec {
  readonly serverOptimiser?: ServerOptimiserSettings | undefined;
  /** Of the sites, for training code that does not have its own. */
  readonly learningRate?: number | undefined;
}

/** Yields a report a round, and one more for the finished model. */
export async function* scaffold(
  spec: ScaffoldSpec,
  start: WorkflowState,
  parts: WorkflowParts,
): AsyncGenerator<RoundReport> {
  const {
    serverOptimiser = { kind: 'sgd', learningRate: 1, momentum: 0, nesterov: false, statistics: 'mean' },
    learningRate,
  } = spec;
  const { parameters } = parts;
  const settings = learningRate === undefined ? {} : { settings: { learningRate } };
  const state = yield* trainingRounds(spec, start, parts, async ({ round, model, memory }, sites) => {
    const controls = controlsOf(memory, model, parameters);
    const sent = joinControls(model, controls);
    const aggregator = parts.aggregator(sent, round, { kind: 'weight-control-diff', precise: true, memory });
    const task: Task = { kind: 'train', round, model: sent, ...settings };
    const participations = await askSites(task, parts, { ...spec, sites, ...foldingInto(aggregator, parts, sites) });
    const aggregate = await aggregateOf(aggregator, memory);
    const mean = splitControls(aggregate.tensors);
    const present = participations.filter(({ status }) => status === 'ok').length;
    const moved = towards(controls, mean.controls, present / parts.sites.names.length);
    const step = { before: model, mean: mean.model, memory: aggregate.memory, round, parameters };
    const after = serverStep(serverOptimiser, step);
    const positive = positiveVariances(after.model, parameters);
    return {
      model: positive.model,
      memory: joinControls(after.memory, moved),
      sites: participations,
      notes: [...aggregate.notes, ...positive.notes],
    };
  });
  yield await finalEvaluation(spec, state, parts);
}

/** The server's control variate; zeros at first. */
function controlsOf(memory: NamedTensors, model: NamedTensors, parameters: ReadonlySet<string>): NamedTensors {
  const { controls } = splitControls(memory);
  if (controls.size > 0) return controls;
  const trained = [...model].filter(([name]) => parameters.has(name));
  return new Map(
    trained.map(([name, { dtype, shape, data }]) => [name, { dtype, shape, data: allocate(dtype, data.length) }]),
  );
}

/** c + share·(mean − c), rounded once. */
function towards(controls: NamedTensors, mean: NamedTensors, share: number): NamedTensors {
  const moved = [...controls].map(([name, control]): [string, Tensor] => {
    const target = mean.get(name)!.data as Float64Array;
    const from = control.data as Float64Array;
    const data = Float64Array.from(target, (value, i) => from[i]! + share * (value - from[i]!));
    return [name, rounded(name, control, { data })];
  });
  return new Map(moved);
}
