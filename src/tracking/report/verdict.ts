/**
 * What the privacy numbers of a run mean, in plain words. Above ε = 10 a bound protects little, and above 100 it is not
 * called differential privacy here.
 *
 * @module
 */
import type { PrivacyCost } from '../../privacy/cost';
import type { RoundEntry } from '../round-metrics';
import { formatEpsilon } from './format';

export type Protection = 'none' | 'not-private' | 'meaningless' | 'weak' | 'private';

export interface Verdict {
  readonly protection: Protection;
  /** A few words for a badge. */
  readonly badge: string;
  /** One or two sentences. */
  readonly text: string;
}

/** One filter call, as the ledger lists it. */
export interface LedgerRow {
  readonly round: number;
  readonly site: string;
  readonly cost: PrivacyCost;
  /** ε of this site up to and with this call, by basic composition. */
  readonly epsilonTotal: number;
}

/** The calls of all rounds, in order. */
export function ledgerOf(entries: readonly RoundEntry[]): readonly LedgerRow[] {
  const spent = new Map<string, number>();
  return entries.flatMap(({ round, sites }) =>
    sites.flatMap(({ name, privacy = [] }) =>
      privacy.map((cost) => {
        const epsilonTotal = (spent.get(name) ?? 0) + cost.epsilon;
        spent.set(name, epsilonTotal);
        return { round, site: name, cost, epsilonTotal };
      }),
    ),
  );
}

/** The verdict on a run; the site that was charged most counts. */
export function verdictOf(entries: readonly RoundEntry[]): Verdict {
  const ledger = ledgerOf(entries);
  const answers = entries
    .filter(({ final }) => !final)
    .flatMap(({ sites }) => sites.filter(({ status }) => status === 'ok'));
  const bare = answers.filter(({ privacy = [] }) => privacy.length === 0).length;
  if (ledger.length === 0) {
    return {
      protection: 'none',
      badge: 'No privacy filter',
      text: 'No privacy filter was on: the sites sent their updates in the clear. Images never left a site, but an update can reveal parts of the data that it was trained on.',
    };
  }
  const notPrivate = ledger.find(({ cost }) => !cost.differentiallyPrivate);
  if (notPrivate) {
    return {
      protection: 'not-private',
      badge: 'NOT differentially private',
      text: `The filter '${notPrivate.cost.mechanism}', as it was used here, gives no differential-privacy guarantee: no finite ε bounds what an update reveals. Do not count on it to protect anyone.`,
    };
  }
  if (bare > 0) {
    return {
      protection: 'not-private',
      badge: 'NOT differentially private',
      text: `${bare} of ${answers.length} updates left their site without a privacy filter, so nothing bounds what the run reveals.`,
    };
  }
  return boundedVerdict(ledger);
}

function boundedVerdict(ledger: readonly LedgerRow[]): Verdict {
  const total = Math.max(...ledger.map(({ epsilonTotal }) => epsilonTotal));
  const perRound = Math.max(...sumBy(ledger, ({ round, site }) => `${round} ${site}`, 'epsilon'));
  const delta = Math.max(...sumBy(ledger, ({ site }) => site, 'delta'));
  const deltaText = delta > 0 ? ` (δ = ${delta.toExponential(1)})` : '';
  const numbers = `ε = ${formatEpsilon(perRound)} per round, ${formatEpsilon(total)} for the run${deltaText}`;
  if (total > 100) {
    return {
      protection: 'meaningless',
      badge: 'No meaningful privacy',
      text: `${numbers}: formally a bound, but no meaningful protection. At this size it rules out nothing, so this report does not call the run differentially private.`,
    };
  }
  if (total > 10) {
    return {
      protection: 'weak',
      badge: `Weak privacy: ε = ${formatEpsilon(total)}`,
      text: `${numbers}. The updates are differentially private, but a bound above 10 protects little; what it leaves out is said below.`,
    };
  }
  return {
    protection: 'private',
    badge: `Differentially private updates: ε = ${formatEpsilon(total)}`,
    text: `${numbers}. The updates are differentially private; what the bound leaves out is said below.`,
  };
}

/** Sums of ε or δ over the rows of equal key. */
function sumBy(
  ledger: readonly LedgerRow[],
  keyOf: (row: LedgerRow) => string,
  quantity: 'epsilon' | 'delta',
): readonly number[] {
  const sums = new Map<string, number>();
  for (const row of ledger) sums.set(keyOf(row), (sums.get(keyOf(row)) ?? 0) + row.cost[quantity]);
  return [...sums.values()];
}
