/**
 * What must hold of a finished simulation, whatever went wrong in it. The arithmetic here is written anew: it shares nothing with
 * what it checks.
 *
 * @module
 */
import { decodeLedgerEntry } from '../../src/privacy/ledger';
import { bytesOf, float32, type NamedTensors } from '../../src/tensor/tensor';
import type { SimDisk } from '../support/sim/disk';
import type { History, SentUpdate } from './history';
import { isHarmless, type Plan } from './plan';
import { ledgerFile } from './site-process';
import { digestOf } from './toy-site';
import { jobId } from './world-types';

export interface Finished {
  readonly plan: Plan;
  readonly history: History;
  readonly final: NamedTensors | undefined;
  readonly disks: ReadonlyMap<string, SimDisk>;
}

/** One sentence a violation. */
export function checkHistory(finished: Finished): string[] {
  return [
    ...checkRounds(finished),
    ...checkAccepted(finished),
    ...checkSent(finished),
    ...checkStates(finished),
    ...checkTasks(finished),
    ...checkLedgers(finished),
    ...checkConnections(finished),
  ];
}

/** S1, S3, S4, S8: each model is the mean of just the updates of the sites that the round names, bit by bit. */
function* checkRounds({ plan, history, final }: Finished): Generator<string> {
  let model: NamedTensors = new Map([['w', float32([plan.parameters], Array(plan.parameters).fill(0))]]);
  const numbers = [...history.committed.keys()].sort((a, b) => a - b);
  if (final && numbers.length !== plan.rounds + 1)
    yield `S4: ${numbers.length} lines of ${plan.rounds + 1} were committed.`;
  for (const number of numbers) {
    const { line, model: after } = history.committed.get(number)!;
    const names = line.sites.filter(({ status }) => status === 'ok').map(({ name }) => name);
    const ways = line.final ? [model] : waysOf(plan, history, line.round, names, model);
    if (!ways.some((expected) => equal(expected, after))) {
      yield `S3: the model after line ${number} is not the mean of the updates of ${names.join(', ')}.`;
    }
    model = after;
  }
  if (final && !equal(final, model)) yield 'S8: the final model is not that of the last line.';
}

/** The means that a round may come to: one, unless a hostile site has sent several answers. */
function waysOf(plan: Plan, history: History, round: number, names: readonly string[], model: NamedTensors) {
  const ofModel = digestOf(model);
  let ways: SentUpdate[][] = [[]];
  for (const name of plan.sites.filter((site) => names.includes(site))) {
    const sent = [...history.sent.values()].filter(
      (one) => one.site === name && one.model === ofModel && flawOf(one, plan, round, 'train') === undefined,
    );
    ways = ways.flatMap((way) => sent.map((one) => [...way, one]));
  }
  return ways.map((way) => meanOf(way, model));
}

function meanOf(sent: readonly SentUpdate[], model: NamedTensors): NamedTensors {
  const w = model.get('w')!.data as Float32Array;
  const sums = new Float64Array(w.length);
  let total = 0;
  for (const { update } of sent) {
    const { tensors, steps } = update.payload;
    const diff = tensors.get('w')!.data as Float32Array;
    for (let i = 0; i < sums.length; i++) sums[i]! += steps * diff[i]!;
    total += steps;
  }
  return new Map([['w', { ...model.get('w')!, data: w.map((value, i) => value + sums[i]! / total) }]]);
}

/** S5, S6: what was accepted is an answer of the site that sent it, to what it was asked. */
function* checkAccepted({ plan, history }: Finished): Generator<string> {
  for (const [key, { site, round, sha256 }] of history.accepted) {
    const sent = history.sent.get(`${site} ${sha256}`);
    const flaw = sent === undefined ? 'is no update that it has sent' : flawOf(sent, plan, round, undefined);
    if (flaw !== undefined) yield `S5, S6: what was accepted of ${key} ${flaw}.`;
  }
}

/** What is wrong with an update as an answer of this round. */
function flawOf({ site, update }: SentUpdate, plan: Plan, round: number, task: string | undefined): string | undefined {
  const { kind, tensors, steps } = update.payload;
  if (update.site !== site) return `is in the name of ${update.site}`;
  if (update.round !== round) return `is of round ${update.round}`;
  if (task !== undefined && update.task !== task) return `is of the task '${update.task}'`;
  if (update.task === 'validate') return tensors.size > 0 ? 'has tensors' : undefined;
  const w = tensors.get('w');
  if (kind !== 'weight-diff') return `is of kind '${kind}'`;
  if (tensors.size !== 1 || w?.dtype !== 'float32' || w.shape.join() !== `${plan.parameters}`) return 'does not fit';
  if (!(w.data as Float32Array).every(Number.isFinite)) return 'is not finite';
  return Number.isInteger(steps) && steps > 0 && steps <= 1e7 ? undefined : `has ${steps} steps`;
}

/** P13 and S10: what is sent for a task is always the same, and is what was computed there, with noise where there is to be some. */
function* checkSent({ plan, history }: Finished): Generator<string> {
  const byTask = new Map<string, string>();
  for (const { site, task, sha256, update } of history.sent.values()) {
    if (site === plan.hostile) continue;
    const known = byTask.get(`${site} ${task}`);
    if (known !== undefined && known !== sha256) yield `P13: ${site} sent two answers to ${task.slice(0, 8)}.`;
    byTask.set(`${site} ${task}`, sha256);
    if (update.task !== 'train') continue;
    const isRaw = history.work.some(
      (one) =>
        one.kind === 'trained' &&
        one.site === site &&
        one.round === update.round &&
        one.score === update.payload.metrics.score &&
        keyOf(one.after) === keyOf(update.payload.tensors.get('w')!.data as Float32Array),
    );
    if (isRaw && plan.noise) yield `S10: the update of ${site} in round ${update.round} left without noise.`;
    if (!isRaw && !plan.noise) yield `S3: ${site} sent in round ${update.round} what it had not computed.`;
  }
}

/** P4: a training goes on from the state of the last round that the site has answered, or of a later one that it has not. */
function* checkStates({ plan, history }: Finished): Generator<string> {
  if (history.damaged.has('state')) return;
  for (const site of plan.sites) {
    const trained: { round: number; after: string }[] = [];
    const answered: number[] = [];
    for (const one of history.work.filter((work) => work.site === site)) {
      if (one.kind === 'answering') answered.push(one.round);
      if (one.kind !== 'trained') continue;
      const last = Math.max(-1, ...answered.filter((round) => round < one.round));
      const states = trained.filter(({ round }) => round >= last && round < one.round).map(({ after }) => after);
      if (last === -1) states.push(keyOf(undefined));
      if (!states.includes(keyOf(one.before))) yield `P4: ${site} trained round ${one.round} from a wrong state.`;
      trained.push({ round: one.round, after: keyOf(one.after) });
    }
  }
}

/** P4: sites are asked about a model only when nothing can change it any more. */
function* checkTasks({ history }: Finished): Generator<string> {
  if (history.damaged.has('checkpoint') || history.damaged.has('update')) return;
  for (const work of history.work) {
    const before = history.committed.get(work.round)?.model;
    if (work.kind === 'asked' && before && work.model !== digestOf(before))
      yield `P4: ${work.site} is asked in round ${work.round} about a model that the run has never had.`;
  }
}

/** S9: every noised update that may have left is in the account of its site. */
function* checkLedgers({ plan, history, disks }: Finished): Generator<string> {
  if (!plan.noise) return;
  for (const site of plan.sites) {
    if (site === plan.hostile || history.damaged.has('ledger')) continue;
    const noised = [...history.sent.values()].filter((sent) => sent.site === site && sent.update.task === 'train');
    const file = disks.get(site)!.files().get(ledgerFile(jobId));
    const booked = file === undefined ? 0 : file.toString('utf8').split('\n').filter(isEntry).length;
    if (booked < noised.length) yield `S9: ${site} sent ${noised.length} noised updates and booked ${booked}.`;
  }
}

/** P12: where nothing was wrong with the network, nobody is taken for dead. */
function* checkConnections({ plan, history }: Finished): Generator<string> {
  if (isHarmless(plan)) yield* history.disconnections.map((line) => `P12: a connection ended without cause: ${line}.`);
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

/** The first numbers tell states apart. */
function keyOf(numbers: Float32Array | undefined): string {
  return numbers === undefined ? 'none' : numbers.subarray(0, 8).join();
}

function equal(a: NamedTensors, b: NamedTensors): boolean {
  return Buffer.from(bytesOf(a.get('w')!)).equals(Buffer.from(bytesOf(b.get('w')!)));
}
