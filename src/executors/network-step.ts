/**
 * One step of a round, with what the algorithm adds to it: FedProx, SCAFFOLD, FedMRI's contrast, the passes of FedSelect.
 *
 * @module
 */
import type { NetworkTrainerSpec } from '../jobs/trainer-spec';
import { scheduledRate } from '../nn/schedules/schedule';
import type { TrainingSession } from '../nn/trainer';
import type { TrainingState } from '../nn/training-state';
import type { Task } from '../protocol/messages';
import { trainSettings } from '../protocol/train-settings';
import { deriveSeed } from '../util/streams';
import type { ExecutorContext } from './executor';
import { beforeStep, passesOf, takeBack } from './own-numbers';
import { contrastOf, type StepTerms } from './shared-sessions';

export interface NetworkStepOptions<B> {
  readonly site: string;
  /** The job's seed. */
  readonly seed: number;
  readonly trainer: NetworkTrainerSpec;
  /** The session for a batch: batches may differ in size. */
  session(batch: B, terms: StepTerms): Promise<TrainingSession>;
}

/** What a step trains on. */
export interface StepBatch {
  readonly image: Float32Array;
  readonly label: Float32Array;
}

/** Where in the round a step stands: the pass over the data, and its place within. Each pass has its own order and draws. */
export interface StepPlace {
  readonly turn: number;
  readonly index: number;
}

export type NetworkStep<B> = (
  state: TrainingState,
  batch: B,
  at: StepPlace,
) => Promise<{ readonly loss: number; readonly learningRate: number }>;

/** The step of a task. It changes the state in place. */
export function networkStep<B extends StepBatch>(
  { site, seed, trainer, session }: NetworkStepOptions<B>,
  task: Task,
  { correction, contrast, own, reference: given = task.model }: ExecutorContext,
): NetworkStep<B> {
  const {
    proximalMu: mu = trainer.proximalMu,
    proximalReference = 'round',
    learningRate: base = trainer.learningRate,
  } = trainSettings(task);
  const terms = { proximal: mu > 0, correction: correction !== undefined, ...contrastOf(contrast) };
  const passes = passesOf(own);
  let reference = given;
  return async (state, batch, { turn, index }) => {
    const open = await session(batch, terms);
    const starts = index === 0 && turn % passes.length === 0;
    // A step replaces tensors and leaves those of the map before it as they are.
    if (proximalReference === 'epoch' && starts) reference = new Map(state.parameters);
    const at = { step: state.step, round: task.round };
    const learningRate = trainer.schedule ? scheduledRate(trainer.schedule, base, at) : base;
    const before = passes.length > 1 ? beforeStep(state) : undefined;
    const { loss } = await open.step(state, {
      image: batch.image,
      label: batch.label,
      learningRate,
      dropoutSeed: deriveSeed(seed, site, 'dropout', task.round, turn, index),
      ...(mu > 0 && { proximal: { mu, reference } }),
      ...(correction && { correction }),
      ...(contrast && { contrast: starts ? { ...contrast, beta: 0 } : contrast }),
    });
    if (before && own) takeBack(state, before, own, passes[turn % passes.length]!);
    return { loss, learningRate };
  };
}
