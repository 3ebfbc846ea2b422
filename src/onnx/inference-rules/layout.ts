import type { LayoutOps } from '../../graph/ops/layout';
import type { FreeRules } from './rule';

export const layoutFree: FreeRules<keyof LayoutOps> = {
  // Shapes of parameters only: those do not vary.
  Reshape: (w, { attrs: { shape } }, [x]) => w.reshape(x!, shape),
};
