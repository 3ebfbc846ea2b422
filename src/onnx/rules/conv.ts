import type { ConvAttrs, ConvOps } from '../../graph/ops/conv';
import { hasPlainInputGrad, lowerConv, lowerConvInputGrad } from '../lower-conv';
import { lowerConvWeightGrad } from '../lower-conv-weight';
import { lowerGeneralConv, lowerGeneralConvInputGrad } from '../lower-general-conv';
import { lowerGroupedConvWeightGrad } from '../lower-grouped-conv-weight';
import type { OnnxRules } from './rule';

const isPlain = ({ dilation, groups }: ConvAttrs): boolean => groups === 1 && dilation.every((d) => d === 1);

export const convRules: OnnxRules<keyof ConvOps> = {
  Conv: (w, node, names) => (isPlain(node.attrs) ? lowerConv : lowerGeneralConv)(w, node, names),
  ConvInputGrad: (w, node, names) => {
    const plain = isPlain(node.attrs) && hasPlainInputGrad(node.attrs, node.inputs[1]!.shape.slice(2));
    return (plain ? lowerConvInputGrad : lowerGeneralConvInputGrad)(w, node, names);
  },
  ConvWeightGrad: (w, node, names) =>
    (node.attrs.groups === 1 ? lowerConvWeightGrad : lowerGroupedConvWeightGrad)(w, node, names),
};
