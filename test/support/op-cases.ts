/** Example calls of every operator, edge shapes included: what tests loop over. Total over the operators by type. */
import type { Op } from '../../src/graph/ops';
import type { OpCases } from './op-cases/case';
import { convCases } from './op-cases/conv';
import { elementwiseCases } from './op-cases/elementwise';
import { layoutCases } from './op-cases/layout';
import { linearCases } from './op-cases/linear';
import { normCases } from './op-cases/norm';
import { poolCases } from './op-cases/pool';
import { reductionCases } from './op-cases/reduction';
import { resizeCases } from './op-cases/resize';
import { scheduleCases } from './op-cases/schedule';

export type { OpCase } from './op-cases/case';

export const opCases: OpCases<Op> = {
  ...elementwiseCases,
  ...reductionCases,
  ...layoutCases,
  ...linearCases,
  ...convCases,
  ...normCases,
  ...poolCases,
  ...resizeCases,
  ...scheduleCases,
};
