import type { Op, Ops } from '../../../src/graph/ops';
import type { Shape } from '../../../src/tensor/tensor';

/** One call of an operator. */
export interface OpCase<K extends Op> {
  readonly title: string;
  readonly inputs: readonly Shape[];
  readonly attrs: Ops[K];
  /** Inputs are uniform in [low, high), which must keep clear of kinks and poles. */
  readonly range?: readonly [low: number, high: number];
  /** The numbers of an input, where drawn ones will not do: indices, ties, kinks. In the order of the inputs. */
  readonly values?: readonly (readonly number[] | undefined)[];
  /** The point is at a kink: the derivative is a convention, which finite differences do not know. */
  readonly kink?: true;
  /** Inputs whose derivative is not asked for. */
  readonly fixed?: readonly number[];
}

/** Cases for every operator of a family. */
export type OpCases<K extends Op> = { readonly [P in K]: readonly OpCase<P>[] };
