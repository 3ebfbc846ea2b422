/**
 * Each operator of the graph in operators of ONNX opset 21.
 *
 * @module
 */
import type { Op } from '../graph/ops';
import { convRules } from './rules/conv';
import { elementwiseRules } from './rules/elementwise';
import { layoutRules } from './rules/layout';
import { linearRules } from './rules/linear';
import { normRules } from './rules/norm';
import { poolRules } from './rules/pool';
import { reductionRules } from './rules/reduction';
import { resizeRules } from './rules/resize';
import type { OnnxRules } from './rules/rule';
import { scheduleRules } from './rules/schedule';

export const onnxRules: OnnxRules<Op> = {
  ...elementwiseRules,
  ...reductionRules,
  ...layoutRules,
  ...linearRules,
  ...convRules,
  ...normRules,
  ...poolRules,
  ...resizeRules,
  ...scheduleRules,
};
