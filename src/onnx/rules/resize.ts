import type { ResizeOps } from '../../graph/ops/resize';
import { lowerResize, lowerResizeGrad } from '../lower-resize';
import { lowerUpsample, lowerUpsampleGrad } from '../lower-upsample';
import type { OnnxRules } from './rule';

export const resizeRules: OnnxRules<keyof ResizeOps> = {
  Resize: lowerResize,
  ResizeGrad: lowerResizeGrad,
  UpsampleLinear: (w, { inputs: [x] }, [name]) => [lowerUpsample(w, name!, x!.shape)],
  UpsampleLinearGrad: (w, { inputs: [dy] }, [name]) => [lowerUpsampleGrad(w, name!, dy!.shape)],
};
