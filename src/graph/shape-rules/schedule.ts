import type { ScheduleOps } from '../ops/schedule';
import { type ShapeRules, sameAsInput } from './rule';

export const scheduleShapes: ShapeRules<keyof ScheduleOps> = {
  After: sameAsInput,
};
