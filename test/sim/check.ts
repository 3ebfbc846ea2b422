/**
 * What must hold of a finished simulation, whatever went wrong in it.
 *
 * @module
 */
import { weightedMean } from '../../src/aggregators/weighted-mean';
import { decodeLedgerEntry } from '../../src/privacy/ledger';
import type { Update } from '../../src/protocol/messages';
import { bytesOf, float32, type NamedTensors } from '../../src/tensor/tensor';
import type { SimDisk } from '../support/sim/disk';
import type { History } from './history';
import type { Plan } from './plan';
import { ledgerFile } from './site-process';
import { jobId } from './world-types';

export interface Finished {
  readonly plan: Plan;
  readonly history: History;
  readonly final: NamedTensors | undefined;
  readonly disks: ReadonlyMap<string, SimDisk>;
}

/** One sentence a violation. */
export function checkHistory(finished: Finished): string[] {
  return [...checkRounds(finished), ...checkSent(finished), ...checkLedgers(finished)];
}

/** S1, S3, S4, S5, S6, S8: each model is the mean of just the updates of the sites that the round names, bit by bit. */
function* checkRounds({ plan, history, final }: Finished): Generator<string> {
  let model: NamedTensors = new Map([['w', float32([plan.parameters], Array(plan.parameters).fill(0))]]);
  const numbers = [...history.committed.keys()].sort((a, b) => a - b);
  if (final && numbers.length !== plan.rounds + 1)
    yield `S4: ${numbers.length} lines of ${plan.rounds + 1} were committed.`;
  for (const number of numbers) {
    const { line, model: after } = history.committed.get(number)!;
    const expected = line.final ? model : meanOf(plan, history, line, model);
    if (typeof expected === 'string') yield expected;
    else if (!equal(expected, after)) yield `S3: the model after line ${number} is not the mean of its updates.`;
    model = after;
  }
  if (final && !equal(final, model)) yield 'S8: the final model is not that of the last line.';
}

/** The mean of the updates of the sites that a round names; or why there is none. */
function meanOf(
  plan: Plan,
  history: History,
  line: { round: number; sites: readonly { name: string; status: string }[] },
  model: NamedTensors,
) {
  const aggregator = weightedMean({
    reference: model,
    round: line.round,
    siteOrder: plan.sites,
    kind: 'weight-diff',
    maxSteps: 100,
  });
  for (const { name, status } of line.sites) {
    if (status !== 'ok') continue;
    const update = updateOf(history, name, line.round, model);
    if (!update) return `S3: no update of ${name} in round ${line.round} was sent.`;
    aggregator.add(update);
  }
  return aggregator.finish();
}

/** What a site sent for the training of this very model. */
function updateOf(history: History, site: string, round: number, model: NamedTensors): Update | undefined {
  const candidates = [...history.sent.values()].filter(
    ({ update }) => update.site === site && update.round === round && update.task === 'train',
  );
  if (candidates.length <= 1) return candidates[0]?.update;
  // A round that was repeated on another model: the score tells which.
  const score = Number(model.get('w')!.data[0]);
  return candidates.find(({ update }) => update.payload.metrics.score === score)?.update;
}

/** P13: what is sent for a task is always the same. */
function* checkSent({ history }: Finished): Generator<string> {
  const byTask = new Map<string, string>();
  for (const { site, task, sha256 } of history.sent.values()) {
    const known = byTask.get(`${site} ${task}`);
    if (known !== undefined && known !== sha256) yield `P13: ${site} sent two answers to ${task.slice(0, 8)}.`;
    byTask.set(`${site} ${task}`, sha256);
  }
}

/** S9: every noised update that may have left is in the account of its site. */
function* checkLedgers({ plan, history, disks }: Finished): Generator<string> {
  if (!plan.noise) return;
  for (const site of plan.sites) {
    const noised = [...history.sent.values()].filter(
      (sent) => sent.site === site && sent.update.task === 'train',
    ).length;
    const file = disks.get(site)!.files().get(ledgerFile(jobId));
    const booked = file === undefined ? 0 : file.toString('utf8').split('\n').filter(isEntry).length;
    if (booked < noised) yield `S9: ${site} sent ${noised} noised updates and booked ${booked}.`;
  }
}

function isEntry(line: string): boolean {
  try {
    const { check: _, ...entry } = JSON.parse(line);
    decodeLedgerEntry(JSON.stringify(entry));
    return true;
  } catch {
    return false;
  }
}

function equal(a: NamedTensors, b: NamedTensors): boolean {
  return Buffer.from(bytesOf(a.get('w')!)).equals(Buffer.from(bytesOf(b.get('w')!)));
}
