import { createHash } from 'node:crypto';
import { bytesOf, type NamedTensors } from '../tensor/tensor';

/**
 * Dice scores of one model by case. The sites of the published job validate the same global model on the same files; where
 * they share a process, as in the simulator, each case needs to be scored only once. The numbers are those that each site
 * would have computed.
 */
export interface ScoreCache {
  /** Says which model the scores are about; those of another model are dropped. */
  use(model: NamedTensors): void;
  get(identity: string): readonly number[] | undefined;
  set(identity: string, dice: readonly number[]): void;
}

export function scoreCache(): ScoreCache {
  let current = '';
  const scores = new Map<string, readonly number[]>();
  return {
    use(model) {
      const digest = digestOf(model);
      if (digest !== current) scores.clear();
      current = digest;
    },
    get: (identity) => scores.get(identity),
    set: (identity, dice) => void scores.set(identity, dice),
  };
}

function digestOf(model: NamedTensors): string {
  const hash = createHash('sha256');
  for (const [name, tensor] of model) hash.update(name).update(bytesOf(tensor));
  return hash.digest('hex');
}
