/**
 * What the server and a site say to each other, apart from how it travels.
 *
 * @module
 */
import type { ErrorData } from '../errors';
import type { PrivacyCost } from '../privacy/cost';
import type { NamedTensors } from '../tensor/tensor';
import type { Json } from '../util/json';
import type { Payload } from './payload';

/** What the server asks of a site. */
export interface Task {
  /** `train`: validate the received model, then train it. `validate`: only the first. A workflow may have others. */
  readonly kind: string;
  /** Rounds are counted from 0. */
  readonly round: number;
  /** The global model. */
  readonly model: NamedTensors;
  /** What else the task needs, as plain data: the bins of a histogram, say. */
  readonly settings?: Json;
}

/** What a site answers to a task. */
export interface Update {
  readonly site: string;
  readonly round: number;
  readonly task: string;
  readonly payload: Payload;
  /**
   * What the privacy filters have charged in this round so far, in order: for this update, for the site's earlier tasks of the
   * round, and for attempts whose update was not kept. Empty when none acted. Whoever adds up rounds counts it once a round.
   */
  readonly privacy: readonly PrivacyCost[];
  /** Wall-clock seconds the site spent validating and training. */
  readonly seconds: { readonly validate: number; readonly train: number; readonly other: number };
}

/** How a site ended a task. A failure carries no data values or file paths. */
export type SiteAnswer =
  | {
      readonly status: 'ok';
      readonly site: string;
      readonly update: Update;
      /** Gives the memory of the update's tensors back, once nobody reads them any more. Not to call it costs time only. */
      readonly release?: () => void;
      /** File that holds the update, flushed, as the round journal keeps it: the journal may take it over. */
      readonly spooled?: string;
      /** Tells the site what became of its update, once that is on disk. */
      readonly acknowledge?: (outcome: 'accepted' | 'rejected', reason: string) => void;
    }
  | { readonly status: 'failed'; readonly site: string; readonly error: ErrorData }
  | {
      readonly status: 'late';
      readonly site: string;
      /** Why nobody waits for it any longer; the deadline when absent. */
      readonly reason?: string;
    };
