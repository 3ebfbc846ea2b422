import { z } from 'zod';
import type { Task } from './messages';

const schema = z.looseObject({
  proximalMu: z.number().nonnegative().finite().optional(),
  proximalReference: z.enum(['round', 'epoch']).optional(),
  learningRate: z.number().positive().finite().optional(),
  validate: z.boolean().optional(),
});

/** What the built-in workflows say in the settings of a `train` task; training code of the user's own finds them there. */
export interface TrainSettings {
  /** FedProx: add (μ/2)·‖w − w_received‖² to the loss. Absent: nothing is added. */
  readonly proximalMu?: number | undefined;
  /** What that term holds the weights near: those of the start of the round, or of the running local epoch. Absent: the round. */
  readonly proximalReference?: 'round' | 'epoch' | undefined;
  /** Learning rate of the local steps. Absent: the trainer's own. */
  readonly learningRate?: number | undefined;
  /** Whether to score the received model first. Absent: it is. */
  readonly validate?: boolean | undefined;
}

/** @throws ZodError when a setting of the built-in workflows is not what it should be. */
export function trainSettings({ settings }: Pick<Task, 'settings'>): TrainSettings {
  return settings === undefined ? {} : schema.parse(settings);
}
