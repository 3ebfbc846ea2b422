import type { ScheduleOps } from '../ops/schedule';
import type { InterpreterRules } from './rule';

export const scheduleInterpreters: InterpreterRules<keyof ScheduleOps> = {
  After: ([x]) => [x!.data],
};
