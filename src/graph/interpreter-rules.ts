/**
 * What each operator computes, in float64 and without haste: the oracle that gradients and the runtime are tested against.
 *
 * @module
 */
import { convInterpreters } from './interpreter-rules/conv';
import { elementwiseInterpreters } from './interpreter-rules/elementwise';
import { layoutInterpreters } from './interpreter-rules/layout';
import { linearInterpreters } from './interpreter-rules/linear';
import { normInterpreters } from './interpreter-rules/norm';
import { poolInterpreters } from './interpreter-rules/pool';
import { reductionInterpreters } from './interpreter-rules/reduction';
import { resizeInterpreters } from './interpreter-rules/resize';
import type { InterpreterRules } from './interpreter-rules/rule';
import { scheduleInterpreters } from './interpreter-rules/schedule';
import type { Op } from './ops';

export const interpreterRules: InterpreterRules<Op> = {
  ...elementwiseInterpreters,
  ...reductionInterpreters,
  ...layoutInterpreters,
  ...linearInterpreters,
  ...convInterpreters,
  ...normInterpreters,
  ...poolInterpreters,
  ...resizeInterpreters,
  ...scheduleInterpreters,
};
