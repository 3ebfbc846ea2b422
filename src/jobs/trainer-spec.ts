/**
 * Trainers as data: what a site does with a task.
 *
 * @module
 */
import { z } from 'zod';
import { regionLoss } from './loss-spec';
import { optionalClip, proximalMu, rateSchedule } from './network-trainer-fields';
import { optimiserSpec } from './optimiser-spec';
import { findOwnPart, isOwn, ownSpec } from './own-part';
import { type Transfer, transfer } from './transfer';
import { translationTrainerSpec } from './translation-trainer-spec';

export type { Transfer } from './transfer';

const count = z.int().positive();
const size3 = z.tuple([count, count, count]);

const segmentationTrainerSpec = z
  .strictObject({
    kind: z.literal('segmentation'),
    epochs: count.default(1).describe("Epochs over a site's training list in one round."),
    learningRate: z.number().positive().finite().default(1e-4),
    schedule: rateSchedule,
    optimiser: optimiserSpec.prefault({ kind: 'adam', weightDecay: 1e-5 }),
    loss: regionLoss.prefault({ kind: 'dice', sigmoid: true, squaredPred: true, smoothNr: 0, smoothDr: 1e-5 }),
    gradientClip: optionalClip,
    proximalMu,
    roi: size3.describe('Size of a training crop in voxels; multiples of 8.'),
    inferRoi: size3.describe('Size of a sliding window at validation in voxels; multiples of 8.'),
    transfer,
  })
  .describe('Segmentation of overlapping regions: one crop a step, and sliding-window validation.');
export type SegmentationTrainerSpec = z.output<typeof segmentationTrainerSpec>;

const scriptTrainerSpec = z
  .strictObject({
    kind: z.literal('script'),
    script: z.string().min(1).describe("The file; a relative path starts from the job's folder."),
    args: z.array(z.string()).default([]).describe('Handed to the script as they are.'),
    replySeconds: z
      .number()
      .positive()
      .default(24 * 3600)
      .describe('A task that the script has not answered by then fails, seconds.'),
    transfer,
  })
  .describe(
    "Training code of the user's own in TypeScript or JavaScript: a loop over the tasks of a site, in a worker of its own.",
  );
export type ScriptTrainerSpec = z.output<typeof scriptTrainerSpec>;

const commandTrainerSpec = z
  .strictObject({
    kind: z.literal('command'),
    command: z
      .array(z.string().min(1))
      .nonempty()
      .describe("Program and arguments; nothing is given to a shell. Started in the job's folder."),
    replySeconds: z
      .number()
      .positive()
      .default(24 * 3600)
      .describe('A task that the process has not answered by then fails, seconds.'),
    transfer,
  })
  .describe('Training code in any language: a process that speaks frames over its standard input and output.');
export type CommandTrainerSpec = z.output<typeof commandTrainerSpec>;

const statisticsTrainerSpec = z
  .strictObject({
    kind: z.literal('statistics'),
    minCount: count
      .default(10)
      .describe('A site with fewer cases of a feature gives nothing of it, the count included.'),
    minNoiseLevel: z
      .number()
      .min(0)
      .max(1)
      .default(0.1)
      .describe('A minimum or maximum leaves moved outwards by at least this share of its size.'),
    maxNoiseLevel: z
      .number()
      .min(0)
      .max(1)
      .default(0.3)
      .describe('And by at most this share; more than minNoiseLevel.'),
    maxBinsPercent: z
      .number()
      .positive()
      .max(100)
      .default(10)
      .describe('A histogram with more bins than this, in percent of the count, stays at the site.'),
  })
  .describe(
    "Statistics of the site's values, for the workflow fed-stats; nothing is trained. What may leave is limited, but NOT differentially private.",
  );
export type StatisticsTrainerSpec = z.output<typeof statisticsTrainerSpec>;

export const builtInTrainer = z.discriminatedUnion('kind', [
  segmentationTrainerSpec,
  translationTrainerSpec,
  scriptTrainerSpec,
  commandTrainerSpec,
  statisticsTrainerSpec,
]);
export const trainerSpec = z.union([builtInTrainer, ownSpec('trainer')]);
export type BuiltInTrainerSpec = z.output<typeof builtInTrainer>;
export type TrainerSpec = z.output<typeof trainerSpec>;

/** The built-in trainers that train a network of the job. */
export type NetworkTrainerSpec = Extract<BuiltInTrainerSpec, { readonly kind: 'segmentation' | 'translation' }>;

export function trainsNetwork(trainer: TrainerSpec): trainer is NetworkTrainerSpec {
  return trainer.kind === 'segmentation' || trainer.kind === 'translation';
}

/** What a trainer's updates hold. One of the user's own says it in its definition; weight differences if it says nothing. */
export function transferOf(spec: TrainerSpec): Transfer {
  if (!isOwn(spec)) return 'transfer' in spec ? spec.transfer : 'weight-diff';
  const definition = findOwnPart('trainer', spec.kind)?.definition as { readonly transfer?: Transfer } | undefined;
  return definition?.transfer ?? 'weight-diff';
}
