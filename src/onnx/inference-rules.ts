/**
 * Operators for inputs of any size, in ONNX opset 17: those that inference needs.
 *
 * @module
 */
import type { Op } from '../graph/ops';
import { convFree } from './inference-rules/conv';
import { elementwiseFree } from './inference-rules/elementwise';
import { layoutFree } from './inference-rules/layout';
import { linearFree } from './inference-rules/linear';
import { normFree } from './inference-rules/norm';
import { poolFree } from './inference-rules/pool';
import { reductionFree } from './inference-rules/reduction';
import { resizeFree } from './inference-rules/resize';
import type { FreeRules } from './inference-rules/rule';

export const freeRules: FreeRules<Op> = {
  ...elementwiseFree,
  ...layoutFree,
  ...reductionFree,
  ...linearFree,
  ...convFree,
  ...normFree,
  ...poolFree,
  ...resizeFree,
};
