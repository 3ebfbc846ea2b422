/**
 * Dice scores of one global model by case. The sites of the published job validate the same global model on the same files;
 * where they share a process, as in the simulator, each case needs to be scored only once. The numbers are those that each
 * site would have computed.
 */
export interface ScoreCache {
  /** Says which round's global model the scores are about; those of another round are dropped. */
  use(round: number): void;
  get(identity: string): readonly number[] | undefined;
  set(identity: string, dice: readonly number[]): void;
}

/** One for each job and process: only there does a round stand for one model. */
export function scoreCache(): ScoreCache {
  let current = -1;
  const scores = new Map<string, readonly number[]>();
  return {
    use(round) {
      if (round !== current) scores.clear();
      current = round;
    },
    get: (identity) => scores.get(identity),
    set: (identity, dice) => void scores.set(identity, dice),
  };
}
