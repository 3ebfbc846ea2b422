/**
 * A site whose owner is up to no good: it speaks the protocol and lies in it. Its answers are not finite, in the name of others, of
 * other rounds, of the wrong form, changed afterwards or missing; now and then one is true.
 *
 * @module
 */
import { isConsiliumError } from '../../src/errors';
import type { Update } from '../../src/protocol/messages';
import { decodeUpdateFile } from '../../src/protocol/update-file';
import type { BlobRef, MessageOf } from '../../src/protocol/wire/messages';
import { decodeSafetensors, safetensorsParts } from '../../src/tensor/safetensors';
import type { NamedTensors } from '../../src/tensor/tensor';
import { type BlobSource, memoryBlob, memorySink } from '../../src/transport/blobs';
import { type Channel, type ChannelMessage, dialChannel } from '../../src/transport/channel';
import { delay } from '../../src/util/clock';
import { type SimProcess, simProcess } from '../support/sim/clock';
import type { RunningSite } from './site-process';
import { tensorOf } from './toy-site';
import { certificateOf, jobId, type World } from './world-types';

export function startHostileSite(world: World, name: string, boot: number): RunningSite {
  const process = simProcess(world.time);
  void main(world, name, process, boot).catch((error: unknown) => {
    if (process.alive) world.history.violations.push(`The hostile site ends: ${(error as Error).stack}`);
  });
  return { process, kill: () => process.kill() };
}

/** What the liar knows when it is asked something. */
interface Question {
  readonly task: MessageOf<'task'>;
  /** What an honest site would answer. */
  readonly truth: Update;
  /** What it answered before, newest last. */
  readonly earlier: readonly Offer[];
  readonly world: World;
  readonly random: () => number;
}

interface Offer {
  readonly task: string;
  readonly round: number;
  readonly blob: BlobSource;
  /** What the site says that the blob is, where that is not so. */
  readonly ref?: BlobRef;
}

async function main(world: World, name: string, process: SimProcess, boot: number): Promise<void> {
  const { clock } = process;
  const random = world.randomOf(`${name}/${boot}`);
  const blobs = new Map<string, BlobSource>();
  const earlier: Offer[] = [];
  const never = new AbortController().signal;
  for (;;) {
    await session().catch((error: unknown) => {
      if (!isConsiliumError(error)) throw error;
    });
    await delay(clock, 200 + 2000 * random(), never);
  }

  async function session(): Promise<void> {
    let end = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const dialer = world.network.dialer(process, certificateOf(name));
    const channel: Channel = await dialChannel(
      dialer,
      {
        clock,
        heartbeatMs: 1000,
        deadMs: 5000,
        source: (sha256) => blobs.get(sha256),
        message: (message) => receive(channel, message),
        unreadable: () => {},
        closed: end,
      },
      never,
    );
    const working = earlier.map(({ task }) => task).slice(0, 60);
    const answers = earlier.slice(-60).map(({ task, round, blob }) => ({ task, round, blob: blob.ref }));
    const jobs = random() < 0.5 ? [{ job: jobId, state: 'accepted' as const, working, answers }] : [];
    channel.send({ type: 'hello', protocols: [1], software: 'liar', boot: `${boot}`, jobs });
    await ended;
  }

  function receive(channel: Channel, message: ChannelMessage): void {
    if (message.type === 'job') {
      if (random() < 0.2) channel.send({ type: 'job-answer', job: jobId, verdict: 'refused', reason: 'perhaps' });
      channel.send({ type: 'job-answer', job: jobId, verdict: 'accepted', reason: '' });
    }
    if (message.type !== 'task') return;
    void answer(channel, message).catch((error: unknown) => {
      if (!isConsiliumError(error)) throw error;
    });
  }

  async function answer(channel: Channel, task: MessageOf<'task'>): Promise<void> {
    const sink = memorySink(10e6);
    await channel.fetch(task.model, sink, never);
    await delay(clock, 1 + 500 * random(), never);
    const { tensors: model } = decodeSafetensors(sink.bytes());
    const question: Question = { task, truth: truthOf(name, task, model), earlier, world, random };
    const lie = lies[Math.floor(random() * lies.length)]!;
    for (const offer of lie(question)) {
      noteSent(world, name, offer);
      blobs.set(offer.ref?.sha256 ?? offer.blob.ref.sha256, offer.blob);
      earlier.push(offer);
      const { task: id, round, blob, ref = blob.ref } = offer;
      channel.send({ type: 'answer', job: random() < 0.02 ? 'another' : jobId, task: id, round, blob: ref });
    }
    if (random() < 0.2) misbehave(channel, task);
  }

  /** Things that make no sense and break no rule. */
  function misbehave(channel: Channel, { task, round }: MessageOf<'task'>): void {
    channel.send({ type: 'task-failed', job: jobId, task: reversed(task), error: { tag: 'DataError', message: 'no' } });
    channel.send({ type: 'progress', job: jobId, round: round + 7, phase: 'train', done: 9, total: 3 });
    channel.send({ type: 'task-failed', job: jobId, task, error: { tag: 'NoSuchError', message: 'so there' } });
    if (random() < 0.2) channel.send({ type: 'end-job', job: jobId, outcome: 'finished', reason: 'I say so.' });
  }
}

function truthOf(site: string, { kind, round }: MessageOf<'task'>, model: NamedTensors): Update {
  const w = model.get('w')!.data as Float32Array;
  const metrics = { score: w[0]! };
  const about = { site, round, task: kind, privacy: [], seconds: { validate: 0, train: 0, other: 0 } };
  if (kind === 'validate') return { ...about, payload: { kind: 'metrics', tensors: new Map(), metrics, steps: 0 } };
  const tensors = new Map([['w', tensorOf(w.map((value, i) => i - value / 3))]]);
  return { ...about, payload: { kind: 'weight-diff', tensors, metrics, steps: 3 } };
}

type Lie = (question: Question) => readonly Offer[];

const lies: readonly Lie[] = [
  (question) => [offerOf(question, {})],
  withNumbers((w) => w.fill(Number.NaN, 3, 4)),
  withNumbers((w) => w.fill(Number.POSITIVE_INFINITY, 0, 1)),
  withNumbers((w) => w.subarray(1)),
  withTensors((w) => new Map([...w, ['more', tensorOf(new Float32Array(2))]])),
  withTensors(() => new Map()),
  withTensors((w) => new Map([['w', { ...w.get('w')!, shape: [w.get('w')!.data.length, 1] }]])),
  withPayload({ kind: 'weights' }),
  withPayload({ steps: 0 }),
  withPayload({ steps: 1.5 }),
  (question) => [offerOf(question, { site: otherThan(question) })],
  (question) => [offerOf(question, { round: Math.max(0, question.task.round - 1) })],
  (question) => [offerOf(question, { round: question.task.round + 1 })],
  (question) => [offerOf(question, { task: question.task.kind === 'train' ? 'validate' : 'train' })],
  (question) => [offerOf(question, {}, reversed(question.task.model.sha256))],
  ({ task }) => [{ task: task.task, round: task.round, blob: memoryBlob([Buffer.from('no update at all')]) }],
  /** An old answer to a new question; the answer of another task; two answers to one. */
  ({ task, earlier }) => earlier.slice(-1).map(({ blob }) => ({ task: task.task, round: task.round, blob })),
  ({ earlier }) => earlier.slice(0, 2),
  (question) => [{ ...offerOf(question, {}), task: reversed(question.task.task) }, offerOf(question, {})],
  (question) => [{ ...offerOf(question, {}), round: question.task.round + 3 }],
  (question) => [offerOf(question, {}), ...withPayload({ steps: 5 })(question)],
  /** Bytes that are not what they are called, more than anybody takes, and none. */
  (question) => {
    const offer = offerOf(question, {});
    const { sha256, size } = offer.blob.ref;
    return [{ ...offer, ref: { sha256: reversed(sha256), size } }];
  },
  (question) => {
    const offer = offerOf(question, {});
    return [{ ...offer, ref: { sha256: offer.blob.ref.sha256, size: 1e9 } }];
  },
  () => [],
];

function offerOf({ task, truth }: Question, changes: Partial<Update>, model = task.model.sha256): Offer {
  return { task: task.task, round: task.round, blob: memoryBlob(partsOf({ ...truth, ...changes }, model)) };
}

/** The update as a file, also one that no honest site can write. */
function partsOf(update: Update, model: string): readonly Uint8Array[] {
  const { tensors, ...payload } = update.payload;
  return safetensorsParts(tensors, { update: JSON.stringify({ ...update, payload }), model });
}

function withPayload(changes: Partial<Update['payload']>): Lie {
  return (question) => [offerOf(question, { payload: { ...question.truth.payload, ...changes } })];
}

function withTensors(change: (tensors: NamedTensors) => NamedTensors): Lie {
  return (question) => {
    const { tensors } = question.truth.payload;
    return tensors.size === 0 ? [] : withPayload({ tensors: change(tensors) })(question);
  };
}

function withNumbers(change: (w: Float32Array) => Float32Array): Lie {
  return withTensors((tensors) => {
    const w = tensors.get('w')!.data as Float32Array;
    return new Map([['w', tensorOf(change(Float32Array.from(w)))]]);
  });
}

function otherThan({ truth, world, random }: Question): string {
  const others = world.plan.sites.filter((site) => site !== truth.site);
  return others[Math.floor(random() * others.length)]!;
}

function reversed(hash: string): string {
  return [...hash].reverse().join('');
}

/** What it sends counts as what its certificate says it sent, whatever it claims. */
function noteSent({ history }: World, site: string, { task, blob }: Offer): void {
  const { sha256, size } = blob.ref;
  try {
    const { update, model } = decodeUpdateFile(Buffer.concat(blob.read(0, size) as Uint8Array[]));
    history.sent.set(`${site} ${sha256}`, { site, task, sha256, update, model });
  } catch (error) {
    if (!isConsiliumError(error)) throw error;
  }
}
