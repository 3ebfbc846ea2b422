/**
 * Learning-rate schedules as data. A schedule is a factor of the base learning rate, at time t = 0, 1, … of steps or
 * rounds.
 *
 * @module
 */
import { z } from 'zod';

const count = z.int().positive();
const factor = z.number().nonnegative().finite();

const decay = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('constant') }),
  /** 1 until `hold`, then linear to `final` within `length`, then `final`. */
  z.strictObject({
    kind: z.literal('linear'),
    hold: z.int().nonnegative().default(0),
    length: count,
    final: factor.default(0),
  }),
  /** Half a cosine wave from 1 to `final` within `length` (Loshchilov & Hutter 2017, arXiv:1608.03983, one cycle). */
  z.strictObject({ kind: z.literal('cosine'), length: count, final: factor.default(0) }),
  /** (1 − t/length)^power, 0 from `length` on. */
  z.strictObject({ kind: z.literal('polynomial'), length: count, power: z.number().positive().finite().default(0.9) }),
]);

export const scheduleSpec = z.strictObject({
  decay: decay.default({ kind: 'constant' }),
  warmUp: z
    .strictObject({ length: count, from: factor.default(1 / 3) })
    .optional()
    .describe('Before the decay, whose time starts when the warm-up ends: linear from the factor `from` to 1.'),
  per: z
    .enum(['step', 'round'])
    .default('round')
    .describe('What t counts: optimiser steps since the run began, or rounds.'),
});

export type ScheduleOptions = z.input<typeof scheduleSpec>;
export type ScheduleSettings = z.output<typeof scheduleSpec>;
