import type { ConvOps } from '../../graph/ops/conv';
import type { FreeRules } from './rule';

export const convFree: FreeRules<keyof ConvOps> = {
  Conv: (w, { inputs, attrs: { stride, padding } }, names) => {
    const attributes = { kernel_shape: inputs[1]!.shape.slice(2), strides: stride, pads: [...padding, ...padding] };
    return w.node('Conv', names, attributes);
  },
};
