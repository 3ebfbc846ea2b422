/**
 * What privacy has been spent: a fold over the costs of filter calls. Pure data; who writes it to disk is elsewhere.
 *
 * @module
 */
import * as z from 'zod';
import { DataError } from '../errors';
import { toJson } from '../util/exact-json';
import { shownName } from '../util/one-line';
import type { PrivacyCost } from './cost';

/** One call of a filter at a site. */
export interface LedgerEntry {
  readonly site: string;
  /** The job, in an account over several. */
  readonly job?: string | undefined;
  readonly filter: string;
  readonly round: number;
  /** Kind of the task whose payload the filter was given. Ledgers of earlier versions do not say. */
  readonly task?: string | undefined;
  readonly cost: PrivacyCost;
}

/** The sum of many costs under basic composition: ε and δ add up. */
export interface PrivacyTotal {
  readonly calls: number;
  readonly epsilon: number;
  readonly delta: number;
  /** False as soon as one call carried no guarantee; ε is then Infinity. True for no calls at all. */
  readonly differentiallyPrivate: boolean;
}

export const nothingSpent: PrivacyTotal = { calls: 0, epsilon: 0, delta: 0, differentiallyPrivate: true };

/** The total after one more call. */
export function addCost(total: PrivacyTotal, cost: PrivacyCost): PrivacyTotal {
  return {
    calls: total.calls + 1,
    epsilon: total.epsilon + (cost.differentiallyPrivate ? cost.epsilon : Number.POSITIVE_INFINITY),
    delta: total.delta + cost.delta,
    differentiallyPrivate: total.differentiallyPrivate && cost.differentiallyPrivate,
  };
}

/** The total of the entries of one site, and of one filter when it is given. */
export function totalSpent(entries: Iterable<LedgerEntry>, site: string, filter?: string): PrivacyTotal {
  let total = nothingSpent;
  for (const entry of entries) {
    if (entry.site === site && (filter === undefined || entry.filter === filter)) total = addCost(total, entry.cost);
  }
  return total;
}

const amount = z.union([z.number().min(0), z.literal('Infinity').transform(() => Number.POSITIVE_INFINITY)]);
const detail = z.union([
  z.number(),
  z.literal('Infinity').transform(() => Number.POSITIVE_INFINITY),
  z.literal('-Infinity').transform(() => Number.NEGATIVE_INFINITY),
]);
/** Of somebody else's filter, perhaps: it is shown in tables. */
const word = z.string().overwrite(shownName);
/** A cost as JSON holds it: infinite amounts, which JSON lacks, are the string "Infinity". */
export const privacyCost: z.ZodType<PrivacyCost> = z.strictObject({
  mechanism: word,
  differentiallyPrivate: z.boolean(),
  epsilon: amount,
  delta: amount,
  unit: word,
  details: z.record(word, detail),
});
const entrySchema = z.strictObject({
  site: z.string(),
  job: z.string().optional(),
  filter: z.string(),
  round: z.int(),
  task: z.string().optional(),
  cost: privacyCost,
});

/** The entry as one line of JSON without a line break. Infinite numbers, which JSON lacks, become the string "Infinity". */
export function encodeLedgerEntry(entry: LedgerEntry): string {
  return toJson(entry);
}

/** The inverse of {@link encodeLedgerEntry}. @throws DataError when the line is not a whole, valid entry. */
export function decodeLedgerEntry(line: string): LedgerEntry {
  try {
    return entrySchema.parse(JSON.parse(line));
  } catch (cause) {
    throw new DataError('A line of the privacy ledger is not a valid entry, so what was spent is unknown.', {
      cause,
      hint: 'Restore the ledger from a copy. It is not repaired silently: a lost line would be unbooked privacy.',
    });
  }
}
