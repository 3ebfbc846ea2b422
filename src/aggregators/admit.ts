/**
 * Who may add an update to a round, and to which rounds updates can be added at all: the same for every aggregator.
 *
 * @module
 */
import { ConfigError, ShapeError } from '../errors';
import type { AggregatorOptions, SiteUpdate } from './aggregator';
import { reject, validateUpdate } from './validate-update';

/** Where a round stands. */
export interface Roll {
  readonly expected: Pick<ReadonlySet<string>, 'has'>;
  readonly taken: Pick<ReadonlySet<string>, 'has'>;
  readonly skipped: Pick<ReadonlySet<string>, 'has'>;
  readonly over: boolean;
}

/** Checks who sends an update and when, then the update as a whole. @throws UpdateRejectedError */
export function admit(update: SiteUpdate, options: AggregatorOptions, { expected, taken, skipped, over }: Roll): void {
  const { site } = update;
  if (!expected.has(site)) reject(site, `the round expects ${named(options.siteOrder)}`);
  if (skipped.has(site)) reject(site, 'the round goes on without this site');
  if (taken.has(site)) reject(site, 'an update of this site was taken before');
  if (over) reject(site, 'the round is over');
  validateUpdate(update, options);
}

/** @throws ConfigError for a site named twice or a `maxSteps` below 1; ShapeError for tensors that have no mean. */
export function checkRound({ reference, siteOrder, maxSteps }: AggregatorOptions): void {
  if (new Set(siteOrder).size !== siteOrder.length) {
    throw new ConfigError(`Sites must have different names, but are ${siteOrder.join(', ')}.`);
  }
  if (!Number.isSafeInteger(maxSteps) || maxSteps < 1) {
    throw new ConfigError(`The largest step count of a site must be an integer of at least 1, but was ${maxSteps}.`);
  }
  for (const [name, { dtype }] of reference) {
    if (dtype !== 'float32' && dtype !== 'float64' && dtype !== 'int64') {
      throw new ShapeError(`Only float32, float64 and int64 tensors can be averaged, but '${name}' is ${dtype}.`);
    }
  }
}

/** A list that stays readable with a thousand sites. */
function named(sites: readonly string[]): string {
  return sites.length <= 8 ? sites.join(', ') : `${sites.slice(0, 8).join(', ')} and ${sites.length - 8} more`;
}
