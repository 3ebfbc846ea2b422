/**
 * Filters stand between a site and the world: each takes a payload and returns one, or throws to block it.
 *
 * @module
 */
import { FilterBlockedError } from '../errors';
import type { PrivacyCost } from '../privacy/cost';
import type { NoiseSource } from '../privacy/noise-source';
import type { Payload } from '../protocol/payload';

export interface FilterContext {
  readonly site: string;
  readonly task: string;
  readonly round: number;
  readonly signal: AbortSignal;
  /** Where privacy noise comes from: cryptographic, unless a test seeded it. */
  readonly noise: NoiseSource;
  /** Sum of ε that the filter of this name has been charged at this site before, over all rounds, restarts included. */
  spent(filter: string): number;
  /** Books a cost. It is on disk when the promise resolves; a filter awaits it before it returns the noised payload. */
  charge(filter: string, cost: PrivacyCost): Promise<void>;
}

export interface Filter {
  readonly name: string;
  /** Payload kinds that the filter can handle. Any other kind is blocked, never passed through. */
  readonly accepts: readonly Payload['kind'][];
  /** Returns a payload of the same kind. Throws `FilterBlockedError` when the payload must not leave. */
  apply(payload: Payload, context: FilterContext): Payload | Promise<Payload>;
}

/** Applies filters in order. A payload that a filter does not accept is blocked with an error. */
export async function applyFilters(
  filters: readonly Filter[],
  payload: Payload,
  context: FilterContext,
): Promise<Payload> {
  let current = payload;
  for (const filter of filters) {
    context.signal.throwIfAborted();
    if (!filter.accepts.includes(current.kind)) {
      throw new FilterBlockedError(
        `Filter '${filter.name}' was given a '${current.kind}' payload, but accepts only ${filter.accepts.join(', ')}. Nothing was sent.`,
        { hint: 'Change what the trainer sends (trainer.transfer), or remove the filter.' },
      );
    }
    const next = await filter.apply(current, context);
    if (next.kind !== current.kind) {
      throw new FilterBlockedError(
        `Filter '${filter.name}' was given '${current.kind}' but returned '${next.kind}'. Nothing was sent.`,
      );
    }
    current = next;
  }
  return current;
}
