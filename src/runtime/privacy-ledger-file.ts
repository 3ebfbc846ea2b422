/**
 * The server's account of what the sites' filters have cost: one line for each filter call.
 *
 * @module
 */
import type { PrivacyCost } from '../privacy/cost';
import { describeCost } from '../privacy/describe-cost';
import { appendLine, writeFileAtomic } from '../util/atomic-file';
import type { Disk } from '../util/disk';
import { toJson } from '../util/exact-json';
import { nodeDisk } from '../util/node-disk';
import type { RoundLine } from './round-line';

export interface PrivacyLedgerFile {
  add(line: RoundLine): Promise<void>;
}

interface LedgerLine extends PrivacyCost {
  readonly site: string;
  readonly round: number;
  /** ε of this site up to and with this call (basic composition). */
  readonly epsilonTotal: number;
  /** What the call is worth, in words. */
  readonly verdict: string;
}

/** Opens the ledger and makes it equal to the rounds so far. */
export async function openPrivacyLedger(
  file: string,
  history: readonly RoundLine[],
  disk: Disk = nodeDisk,
): Promise<PrivacyLedgerFile> {
  const totals = new Map<string, number>();
  await writeFileAtomic(file, history.flatMap(book).map(asText).join(''), { disk });
  return {
    async add(line) {
      const text = book(line).map(asText).join('');
      if (text !== '') await appendLine(file, text.trimEnd(), { durable: true, disk });
    },
  };

  function book(line: RoundLine): LedgerLine[] {
    return line.sites.flatMap(({ name: site, privacy = [] }) =>
      privacy.map((cost) => {
        const epsilonTotal = (totals.get(site) ?? 0) + cost.epsilon;
        totals.set(site, epsilonTotal);
        return { site, round: line.round, ...cost, epsilonTotal, verdict: describeCost(cost) };
      }),
    );
  }
}

function asText(line: LedgerLine): string {
  return `${toJson(line)}\n`;
}
