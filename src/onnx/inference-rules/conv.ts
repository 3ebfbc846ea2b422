import type { ConvAttrs, ConvOps } from '../../graph/ops/conv';
import type { Shape } from '../../tensor/tensor';
import type { Attribute } from '../model-proto';
import type { FreeRules } from './rule';

function attributesOf({ stride, padding, dilation, groups }: ConvAttrs, weight: Shape): Record<string, Attribute> {
  return {
    kernel_shape: weight.slice(2),
    strides: stride,
    pads: [...padding, ...padding],
    dilations: dilation,
    group: groups,
  };
}

export const convFree: FreeRules<keyof ConvOps> = {
  Conv: (w, { inputs, attrs }, names) => w.node('Conv', names, attributesOf(attrs, inputs[1]!.shape)),
  // As a layer: the transposed convolution.
  ConvInputGrad: (w, { inputs, attrs }, names) => {
    const { stride, padding, dilation, spatial } = attrs;
    const [shape, weight] = [inputs[0]!.shape, inputs[1]!.shape];
    // Rows that no window reaches: as many for every length from which this layer makes its own.
    const reached = spatial.map(
      (_, i) => (shape[i + 2]! - 1) * stride[i]! + dilation[i]! * (weight[i + 2]! - 1) + 1 - 2 * padding[i]!,
    );
    const left = spatial.map((n, i) => n - reached[i]!);
    return w.node('ConvTranspose', names, { ...attributesOf(attrs, weight), output_padding: left });
  },
};
