/** The updates of the bad-input matrix (B-W-15 to B-W-22), from a site that lies in a job of a real server with honest sites. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { MessageOf } from '../../src/protocol/wire/messages';
import { safetensorsParts } from '../../src/tensor/safetensors';
import { float32, type NamedTensors } from '../../src/tensor/tensor';
import { type BlobSource, memoryBlob } from '../../src/transport/blobs';
import { type LyingSite, lyingSite, type Offer } from './attacker';
import { removeCompiled } from './compiled';
import { rssOf } from './rows/moments';
import { expectWhole, openStage, type Stage } from './stage';

const parameters = 1000;
type Task = MessageOf<'task'>;
type Lie = readonly [id: string, what: string, why: RegExp, lie: (task: Task) => readonly Offer[]];

/** An update as a file, also one that no honest site could write. */
function fileOf(
  task: Task,
  changes: object = {},
  tensors: NamedTensors = moves(1),
  model = task.model.sha256,
): BlobSource {
  const { payload = {}, ...more } = changes as { readonly payload?: object };
  const train = { kind: 'weight-diff', metrics: { score: 1 }, steps: 3 };
  const honest = task.kind === 'train' ? train : { kind: 'metrics', metrics: { score: 1 }, steps: 0 };
  const seconds = { validate: 0, train: 0, other: 0 };
  const update = { site: 'site-3', round: task.round, task: task.kind, privacy: [], seconds, ...more };
  const text = JSON.stringify({ ...update, payload: { ...honest, ...payload } });
  return memoryBlob(safetensorsParts(task.kind === 'train' ? tensors : new Map(), { update: text, model }));
}

function moves(step: number, shape: readonly number[] = [parameters]): NamedTensors {
  const length = shape.reduce((product, size) => product * size, 1);
  return new Map([['w', float32(shape, Array(length).fill(step))]]);
}

const says = (id: string, what: string, why: RegExp, changes: (task: Task) => object): Lie => [
  ...([id, what, why] as const),
  (task) => [{ blob: fileOf(task, changes(task)) }],
];
const holds = (id: string, what: string, why: RegExp, tensors: NamedTensors): Lie => [
  ...([id, what, why] as const),
  (task) => [{ blob: fileOf(task, {}, tensors) }],
];
const steps = (value: unknown): Lie =>
  says('B-W-20', `${JSON.stringify(value)} steps`, /step/, () => ({ payload: { steps: value } }));

/** A file of these bytes: a header as it is, and zeros. */
function raw(header: string | Buffer, { claims = Buffer.byteLength(header), zeros = 4 * parameters } = {}): BlobSource {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(claims));
  return memoryBlob([Buffer.concat([length, Buffer.from(header), Buffer.alloc(zeros)])]);
}
const file = (what: string, why: RegExp, make: () => BlobSource): Lie => [
  'B-W-18',
  what,
  why,
  () => [{ blob: make() }],
];
const w = (fields: object) =>
  JSON.stringify({ w: { dtype: 'F32', shape: [1000], data_offsets: [0, 4000], ...fields } });

const lies: readonly Lie[] = [
  says('B-W-15', 'the name of another site', /of the site 'site-3' was asked for/, () => ({ site: 'site-1' })),
  says('B-W-16', 'a round that is over', /of round/, ({ round }) => ({ round: Math.max(0, round - 1) || 77 })),
  says('B-W-16', 'a round to come', /of round/, ({ round }) => ({ round: round + 1 })),
  says('B-W-16', 'another task', /of the task/, () => ({ task: 'validate' })),
  [
    'C-22',
    'computed on another model',
    /computed on the model/,
    (task) => [{ blob: fileOf(task, {}, moves(1), 'a'.repeat(64)) }],
  ],
  [
    'B-W-17',
    'other bytes than their hash says',
    /other bytes/,
    (task) => [{ blob: fileOf(task), claims: { blob: { ...fileOf(task).ref, sha256: 'b'.repeat(64) } } }],
  ],
  [
    'B-W-17',
    'a size beyond all bounds',
    /at most/,
    (task) => [{ blob: fileOf(task), claims: { blob: { ...fileOf(task).ref, size: 2 ** 35 } } }],
  ],
  file('nothing', /safetensors|bytes/i, () => memoryBlob([Buffer.alloc(1)])),
  file('a header of length 0', /header/i, () => raw('')),
  file('a header of 2^63 bytes', /header/i, () => raw(w({}), { claims: Number.MAX_SAFE_INTEGER })),
  file('a header that is longer than the file', /header/i, () => raw(w({}), { claims: 90_000 })),
  file('a header that is no JSON', /header|JSON/i, () => raw('[[[[')),
  file('a tensor twice', /twice|duplicate|header/i, () =>
    raw(`{"w":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},${w({}).slice(1)}`),
  ),
  file('junk behind the tensors', /bytes|metadata/i, () => raw(w({}), { zeros: 5000 })),
  file('a hole', /hole/, () => raw(w({ data_offsets: [100, 4100] }), { zeros: 4100 })),
  file('offsets the wrong way round', /offset|bytes/i, () => raw(w({ data_offsets: [4000, 0] }))),
  file('a type that nobody knows', /dtype|F33|type/i, () => raw(w({ dtype: 'F33' }))),
  file('a shape below zero', /shape|-1/i, () => raw(w({ shape: [-1000] }))),
  file('a shape beyond all bounds', /shape|bytes/i, () => raw(w({ shape: [2 ** 40, 2 ** 40] }))),
  file('100,000 tensors', /header|metadata|bytes/i, () =>
    raw(
      JSON.stringify(
        Object.fromEntries(
          Array.from({ length: 100_000 }, (_, i) => [`t${i}`, { dtype: 'F32', shape: [0], data_offsets: [0, 0] }]),
        ),
      ),
      { zeros: 0 },
    ),
  ),
  file('a name of 1 MB', /.*/, () =>
    raw(JSON.stringify({ ['x'.repeat(1 << 20)]: { dtype: 'F32', shape: [0], data_offsets: [0, 0] } }), { zeros: 0 }),
  ),
  file('__proto__', /metadata of the update/, () =>
    raw('{"__proto__":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}', { zeros: 0 }),
  ),
  holds('B-W-19', 'NaN', /finite|NaN/, moves(Number.NaN)),
  holds('B-W-19', 'infinity', /finite/, moves(Number.POSITIVE_INFINITY)),
  holds('B-W-19', 'a tensor less', /refused/, new Map()),
  holds('B-W-19', 'a tensor more', /refused/, new Map([...moves(1), ['v', float32([1], [1])]])),
  holds('B-W-19', 'a tensor of another length', /refused/, moves(1, [parameters + 1])),
  holds('B-W-19', 'a tensor of another shape', /refused/, moves(1, [parameters, 1])),
  holds(
    'B-W-19',
    'double precision',
    /refused/,
    new Map([['w', { dtype: 'float64', shape: [parameters], data: new Float64Array(parameters) }]]),
  ),
  says('B-W-19', 'weights in place of their change', /refused/, () => ({ payload: { kind: 'weights' } })),
  ...[0, -5, 1.5, 1e308, null, '12'].map(steps),
  says('B-W-21', '10,000 metrics', /metrics/, () => ({
    payload: { metrics: Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`m${i}`, 1])) },
  })),
  says('B-W-21', 'a metric that is a table', /metrics/, () => ({ payload: { metrics: { score: {} } } })),
  says('B-W-21', 'a metric with a name of 100 kB', /metrics/, () => ({
    payload: { metrics: { ['x'.repeat(100_000)]: 1 } },
  })),
  [
    'B-W-22',
    'two answers: the first counts, and it is bad',
    /finite/,
    (task) => [{ blob: fileOf(task, {}, moves(Number.NaN)) }, { blob: fileOf(task) }],
  ],
];

let stage: Stage;
let liar: LyingSite;
afterAll(async () => {
  liar?.close();
  await stage?.close();
  removeCompiled();
});
beforeAll(async () => {
  stage = await openStage({ later: ['site-3'] });
}, 300_000);

it(`${lies.length} bad updates, one a round: each is refused in words, the honest sites go on, and the model is theirs`, async () => {
  const read = (...path: string[]) => readFileSync(join(stage.place, ...path), 'utf8');
  const kit = { cert: read('kits', 'site-3', 'cert.pem'), key: read('kits', 'site-3', 'key.pem') };
  liar = await lyingSite({ port: stage.port, ca: read('ca', 'ca.pem') }, kit, (task) => {
    const lie = task.kind === 'train' ? lies[task.round] : undefined;
    return lie === undefined ? [{ blob: fileOf(task) }] : lie[3](task);
  });
  const { pid } = stage.member('server');
  const before = rssOf(pid);
  const workflow = { minSites: 2, graceSeconds: 20 };
  const course = stage.submit({ rounds: lies.length, trainMs: 0, siteConfig: { stateless: true }, workflow });
  const { history } = await expectWhole(stage, course, { budgetSeconds: 90, mayMiss: ['site-3'] });
  const found = lies.map(([id, what], round) => {
    const { status, reason = '' } = history[round]!.sites.find(({ name }) => name === 'site-3')!;
    return { lie: `${id} ${what}`, status, reason };
  });
  const wanted = lies.map(([id, what, why]) => ({
    lie: `${id} ${what}`,
    status: expect.stringMatching(/^(rejected|failed)$/),
    reason: expect.stringMatching(why),
  }));
  expect(found).toEqual(wanted);
  const refused = stage.audit().filter(({ event, site }) => event === 'answer-rejected' && site === 'site-3');
  expect(
    new Set(refused.map(({ round }) => round)).size,
    'rounds with a refusal in the audit log',
  ).toBeGreaterThanOrEqual(lies.length - 1);
  expect(liar.channel.open, 'who lies within the protocol is not cut off').toBe(true);
  expect(rssOf(pid) - before, 'MB').toBeLessThan(100);
}, 300_000);
