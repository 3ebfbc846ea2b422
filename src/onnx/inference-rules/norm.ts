import type { NormOps } from '../../graph/ops/norm';
import type { FreeRules } from './rule';

export const normFree: FreeRules<keyof NormOps> = {
  GroupNorm: (w, { inputs, attrs: { groups, epsilon } }, [x, scale, shift]) => {
    const grouped = w.reshape(x!, [0, groups, -1]);
    const [ones, zeros] = [1, 0].map((value) => w.floats(new Array<number>(groups).fill(value)));
    const normal = w.node('InstanceNormalization', [grouped, ones!, zeros!], { epsilon: { float: epsilon } });
    const restored = w.node('Reshape', [normal, w.node('Shape', [x!])]);
    const perChannel = [-1, ...inputs[0]!.shape.slice(2).map(() => 1)];
    return w.node('Add', [w.node('Mul', [restored, w.reshape(scale!, perChannel)]), w.reshape(shift!, perChannel)]);
  },
};
