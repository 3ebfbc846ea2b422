import type { ScheduleOps } from '../../../src/graph/ops/schedule';
import type { OpCases } from './case';

export const scheduleCases: OpCases<keyof ScheduleOps> = {
  After: [
    {
      title: 'a matrix after a larger tensor',
      inputs: [
        [2, 3],
        [4, 2, 2],
      ],
      attrs: {},
      fixed: [1],
    },
    { title: 'a scalar after a scalar', inputs: [[], []], attrs: {}, fixed: [1] },
  ],
};
