import type { None } from './attributes';

/** Products of matrices. */
export interface LinearOps {
  /** (a [...,M,K], b [...,K,N]) → [...,M,N]; the axes before the last two broadcast. */
  MatMul: None;
}
