import type { None } from './attributes';

/** Operators that compute nothing: they say when something is computed. */
export interface ScheduleOps {
  /** (x, trigger) → x, but not before the trigger is there. For small x, since it is copied. */
  After: None;
}
