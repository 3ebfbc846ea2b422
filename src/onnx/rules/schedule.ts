import type { ScheduleOps } from '../../graph/ops/schedule';
import { sizeOf } from '../../tensor/tensor';
import type { OnnxRules } from './rule';

export const scheduleRules: OnnxRules<keyof ScheduleOps> = {
  // One element of the trigger, never chosen: its value may be anything, not a number included.
  After: (w, { inputs: [shaped, trigger] }, [x, name]) => {
    const one = w.slice(w.reshape(name!, [sizeOf(trigger!.shape)]), [0], [0], [1]);
    const never = w.node('Greater', [w.scalar(0), w.scalar(1)]);
    return [w.reshape(w.node('Where', [never, one, x!]), shaped!.shape)];
  },
};
