import type { NamedTensors } from '../tensor/tensor';

/**
 * Dice scores of one global model by case. The sites of the published job validate the same global model on the same files;
 * where they share a process, as in the simulator, each case needs to be scored only once. The numbers are those that each
 * site would have computed.
 */
export interface ScoreCache {
  /** Says which model the scores are about; those of another one are dropped. */
  use(model: NamedTensors): void;
  get(identity: string): readonly number[] | undefined;
  set(identity: string, dice: readonly number[]): void;
}

/** One for each job and process. A model is known by its identity: sites may be given different ones in a round. */
export function scoreCache(): ScoreCache {
  let current: NamedTensors | undefined;
  const scores = new Map<string, readonly number[]>();
  return {
    use(model) {
      if (model !== current) scores.clear();
      current = model;
    },
    get: (identity) => scores.get(identity),
    set: (identity, dice) => void scores.set(identity, dice),
  };
}
