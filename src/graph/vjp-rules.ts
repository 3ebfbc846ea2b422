/**
 * Reverse-mode derivatives of the operators, written as graph.
 *
 * @module
 */
import type { Op } from './ops';
import { convVjps } from './vjp-rules/conv';
import { elementwiseVjps } from './vjp-rules/elementwise';
import { layoutVjps } from './vjp-rules/layout';
import { linearVjps } from './vjp-rules/linear';
import { normVjps } from './vjp-rules/norm';
import { poolVjps } from './vjp-rules/pool';
import { reductionVjps } from './vjp-rules/reduction';
import { resizeVjps } from './vjp-rules/resize';
import type { VjpRules } from './vjp-rules/rule';
import { scheduleVjps } from './vjp-rules/schedule';

export const vjpRules: VjpRules<Op> = {
  ...elementwiseVjps,
  ...reductionVjps,
  ...layoutVjps,
  ...linearVjps,
  ...convVjps,
  ...normVjps,
  ...poolVjps,
  ...resizeVjps,
  ...scheduleVjps,
};
