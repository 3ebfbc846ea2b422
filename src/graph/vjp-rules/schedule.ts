import type { ScheduleOps } from '../ops/schedule';
import type { VjpRules } from './rule';

export const scheduleVjps: VjpRules<keyof ScheduleOps> = {
  After: (_, g) => [g, undefined],
};
