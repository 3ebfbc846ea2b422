/**
 * The shapes of each operator's outputs, from those of its inputs.
 *
 * @module
 */
import type { Op } from './ops';
import { convShapes } from './shape-rules/conv';
import { elementwiseShapes } from './shape-rules/elementwise';
import { layoutShapes } from './shape-rules/layout';
import { linearShapes } from './shape-rules/linear';
import { normShapes } from './shape-rules/norm';
import { poolShapes } from './shape-rules/pool';
import { reductionShapes } from './shape-rules/reduction';
import { resizeShapes } from './shape-rules/resize';
import type { ShapeRules } from './shape-rules/rule';
import { scheduleShapes } from './shape-rules/schedule';

export const shapeRules: ShapeRules<Op> = {
  ...elementwiseShapes,
  ...reductionShapes,
  ...layoutShapes,
  ...linearShapes,
  ...convShapes,
  ...normShapes,
  ...poolShapes,
  ...resizeShapes,
  ...scheduleShapes,
};
