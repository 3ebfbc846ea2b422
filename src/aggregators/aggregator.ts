import type { Payload } from '../protocol/payload';
import type { NamedTensors } from '../tensor/tensor';
import type { UpdateRules } from './validate-update';

/** What a site answered in a round. Its tensors are not changed and must not be changed by others until `finish`. */
export interface SiteUpdate {
  readonly site: string;
  readonly round: number;
  readonly payload: Payload;
}

/** An update that was read again. */
export interface ReloadedUpdate extends SiteUpdate {
  /** As that of {@link Aggregator.add}. */
  readonly release?: () => void;
}

/** Who took part in an average and with what weight. */
export interface Contribution {
  readonly site: string;
  readonly steps: number;
}

/** What an aggregator is made with, for one round. */
export interface AggregatorOptions extends UpdateRules {
  readonly kind: 'weights' | 'weight-diff' | 'weight-control-diff' | 'weight-share-diff';
  /** Gives float32 tensors in float64, not rounded yet: for a server optimiser, say. @default false */
  readonly precise?: boolean;
  /** Every site that may answer, each once. Sums are formed and ties are broken in this order. */
  readonly siteOrder: readonly string[];
  /** What the server keeps from round to round; what the aggregator has kept is in it, under names of its own. @default nothing */
  readonly memory?: NamedTensors;
}

/** How the names begin of what an aggregator keeps from round to round. */
export const aggregatorMemory = 'aggregator/';

/** Folds the updates of one round into a new global model. Made for a round, used once. */
export interface Aggregator {
  /**
   * Checks the whole update, then takes it; a refused update leaves no trace.
   * @param release to be called once the update's tensors are of no more use; what they hold is lost then. An aggregator that
   *   keeps them need not call it.
   * @param reload reads the update again, where it is kept on disk: an update that has to wait for its turn need not stay in
   *   memory.
   * @returns a promise where updates that waited are read again: the next one may be added once it has resolved.
   * @throws UpdateRejectedError, at once, that says what was expected, what came and where.
   */
  add(update: SiteUpdate, release?: () => void, reload?: () => Promise<ReloadedUpdate>): void | Promise<void>;
  /**
   * Told of a site that will not answer in this round: what waits for its turn behind it need not wait any longer.
   * @returns a promise where updates that waited are read again.
   */
  skip?(site: string): void | Promise<void>;
  /** Those taken so far, in site order. */
  contributions(): readonly Contribution[];
  /** The new global model from the updates taken; ends the round. @throws QuorumError when there are too few of them. */
  finish(): NamedTensors | Promise<NamedTensors>;
  /**
   * What it keeps for the next round, once it has finished: under names that begin with `aggregator/`, float32 or float64. It
   * is part of the checkpoint and comes back among the `memory` of the next round's options. @default nothing
   */
  memory?(): NamedTensors;
  /** What whoever watches the run should know of the round, once it has finished, a line each. @default nothing */
  notes?(): readonly string[];
}

/** One whose result is there at once. */
export interface DirectAggregator extends Aggregator {
  finish(): NamedTensors;
}
