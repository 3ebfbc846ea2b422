/**
 * Fields that all trainers of networks have, with the same meaning.
 *
 * @module
 */
import { z } from 'zod';
import { gradientClip } from './optimiser-spec';
import { scheduleSpec } from './schedule-spec';

export const rateSchedule = scheduleSpec
  .optional()
  .describe('Factor of the learning rate over steps or rounds. Constant when absent.');

export const optionalClip = gradientClip.optional().describe('Limits the gradients. Not at all when absent.');

export const proximalMu = z
  .number()
  .nonnegative()
  .finite()
  .default(0)
  .describe('FedProx μ: adds (μ/2)·‖w − w_received‖² to the loss. 0 turns it off.');
