/** How the selection budget is split between the threshold's noise and the queries' noise. */
export interface SelectionBudget {
  readonly threshold: number;
  readonly query: number;
}

/**
 * Splits ε of a sparse vector selection of `count` entries as 1 : (2 count)^(2/3), which minimises the variance of the
 * comparison (Lyu, Su and Li 2017, section 4.2). The parts sum to `epsilon`.
 */
export function splitSelectionBudget(epsilon: number, count: number): SelectionBudget {
  const threshold = epsilon / (1 + (2 * count) ** (2 / 3));
  return { threshold, query: epsilon - threshold };
}
