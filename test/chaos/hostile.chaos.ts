/** The certificate and wire parts of the bad-input matrix (B-W), against a real server that has honest sites and a job. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeFrame, maxFrameBytes } from '../../src/protocol/wire/frame';
import {
  type Authority,
  authority,
  authorityWith,
  type Credentials,
  clientAuth,
  serverAuth,
} from '../support/certificates';
import { frame, lengthOf } from '../support/websocket-rig';
import { askForWebsocket, type Door, hello, tcpTo, tlsTo, type Wire, wireTo } from './attacker';
import { removeCompiled } from './compiled';
import { rssOf } from './rows/moments';
import { type AuditRecord, type Course, expectWhole, openStage, type Stage } from './stage';

let stage: Stage;
let honest: Course;
let door: Door;
let project: Authority;
let rssBefore: number;
/** Of site-3, who is up to no good. */
let kit: Credentials;

const honestRounds = 60;

beforeAll(async () => {
  stage = await openStage({ later: ['site-3'] });
  honest = stage.submit({ sites: ['site-1', 'site-2'], rounds: honestRounds, trainMs: 200 });
  const read = (...path: string[]) => readFileSync(join(stage.place, ...path), 'utf8');
  door = { port: stage.port, ca: read('ca', 'ca.pem') };
  project = await authorityWith({ cert: door.ca, key: read('ca', 'ca.key') });
  kit = { cert: read('kits', 'site-3', 'cert.pem'), key: read('kits', 'site-3', 'key.pem') };
  await honest.finished(0);
  rssBefore = rssOf(stage.member('server').pid);
}, 300_000);
afterAll(async () => {
  await stage.close();
  removeCompiled();
});

/** Resolves with a record of the audit log that is newer than the call of `act`, and fits. */
async function recorded(fits: (record: AuditRecord) => boolean, act: () => Promise<unknown>): Promise<AuditRecord> {
  const before = stage.audit().length;
  await act();
  return stage.audited((record) => Number(record.n) > before && fits(record));
}

const refusedFor = (reason: RegExp) => (record: AuditRecord) =>
  record.event === 'refused' && reason.test(String(record.reason));

describe('who is not let in is told why, and the audit log has it', () => {
  const cases: readonly (readonly [id: string, what: string, make: () => Promise<Partial<Credentials>>, RegExp])[] = [
    ['B-W-01', 'no certificate', async () => ({}), /No certificate was shown/],
    [
      'B-W-02',
      'one of another authority, with the same names',
      async () => (await authority()).issue({}),
      /certificate that was shown/,
    ],
    ['B-W-03', 'one that is out of date', () => project.issue({ from: -9, to: -1 }), /out of date|expired/],
    ['B-W-03', 'one that is not valid yet', () => project.issue({ from: 2, to: 9 }), /not valid yet|not yet valid/],
    ['B-W-04', 'one for servers', () => project.issue({ usages: [serverAuth] }), /certificate that was shown/],
    ['B-W-05', 'two names', () => project.issue({ names: ['site-1', 'site-2'] }), /exactly one name/],
    ['B-W-05', 'no name', () => project.issue({ names: [] }), /exactly one name/],
    ['B-W-05', '64 letters', () => project.issue({ names: ['a'.repeat(64)] }), /exactly one name/],
    ['B-W-05', 'a path', () => project.issue({ names: ['../site-1'] }), /exactly one name/],
    ['B-W-05', 'upper case', () => project.issue({ names: ['Site-1'] }), /exactly one name/],
    ['B-W-05', 'letters that look alike', () => project.issue({ names: ['sіte-1'] }), /exactly one name/],
    ['B-W-05', 'two roles', () => project.issue({ units: ['site', 'admin'] }), /exactly one role/],
    ['B-W-05', 'a role that is none', () => project.issue({ units: ['king'] }), /exactly one role/],
    ['B-W-06', 'a name that is not on the roster', () => project.issue({ names: ['site-9'] }), /site-9/],
    [
      'B-W-06',
      'a name of the roster, and another certificate',
      () => project.issue({ usages: [clientAuth] }),
      /site-1/,
    ],
  ];
  it.each(cases)('%s %s', async (_, __, make, reason) => {
    const own = await make();
    const record = await recorded(refusedFor(reason), async () => {
      const socket = await tlsTo(door, own);
      const answer = await askForWebsocket(socket);
      expect(answer).toMatch(/^HTTP\/1.1 403/);
      expect(answer).toMatch(reason);
      socket.destroy();
    });
    expect(record).toMatchObject({ address: '127.0.0.1', code: 'not-allowed' });
  });
});

describe('what is no websocket', () => {
  it.each([
    ['B-W-07', 'HTTP without TLS', Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'), /HTTP without TLS/],
    ['B-W-07', 'random bytes', Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919) % 251)), /not TLS/],
  ])('%s %s', async (_, __, bytes, reason) => {
    await recorded(refusedFor(reason), async () => {
      const socket = await tcpTo(door);
      socket.write(bytes);
      socket.resume();
      await once(socket, 'close');
    });
  });

  it('B-W-07 TLS 1.2', async () => {
    await recorded(refusedFor(/TLS 1.3 is needed/), () =>
      expect(tlsTo(door, { ...kit, maxVersion: 'TLSv1.2' })).rejects.toThrow(/PROTOCOL_VERSION/),
    );
  });

  it.each([
    ['2,000 headers', (write: (text: string) => void) => write(`${'x-header: value\r\n'.repeat(2000)}\r\n`)],
    ['headers that never end', (write: (text: string) => void) => write('x-header: value\r\n')],
  ])('B-W-07 %s', async (_, go) => {
    await recorded(refusedFor(/HPE_HEADER_OVERFLOW|in time/), async () => {
      const socket = await tlsTo(door, kit);
      socket.write('GET / HTTP/1.1\r\nHost: a\r\n');
      go((text) => socket.write(text));
      socket.resume();
      await once(socket, 'close');
    });
  });
});

/** What comes of a connection on which somebody does this: it is ended, and the log says whose it was and why. */
async function sentAway(reason: RegExp, act: (wire: Wire) => void): Promise<void> {
  const record = await recorded(
    ({ event, reason: why }) => event === 'sent-away' && reason.test(String(why)),
    async () => {
      const wire = await wireTo(door, kit);
      act(wire);
      expect((await wire.closed).code).toMatch(/protocol|version/);
    },
  );
  expect(record).toMatchObject({ name: 'site-3', role: 'site' });
}

const text = (fields: object) => JSON.stringify(fields);
const known = text(hello);

describe('a site that speaks wrong is sent away, and the audit log has it', () => {
  it.each<[string, string, RegExp, (wire: Wire) => void]>([
    [
      'B-W-08',
      'another message than a hello',
      /'hello' was to come first/,
      (wire) => wire.header(1, text({ type: 'progress', job: 'j', round: 1, phase: 'train', done: 1, total: 1 })),
    ],
    ['B-W-11', 'no JSON', /broken/, (wire) => wire.header(1, '{"type":')],
    ['B-W-11', 'no UTF-8', /not UTF-8/, (wire) => wire.header(1, Buffer.from([0x7b, 0xff, 0xfe]))],
    ['B-W-11', 'JSON of depth 10,000', /broken/, (wire) => wire.header(1, '['.repeat(10_000))],
    ['B-W-11', 'a key twice', /broken/, (wire) => wire.header(1, '{"type":"beat","type":"beat"}')],
    ['B-W-11', '__proto__', /broken/, (wire) => wire.header(1, '{"type":"beat","__proto__":{"a":1}}')],
    [
      'B-W-11',
      'a text of 1 MB',
      /broken|wrong/,
      (wire) => wire.header(1, text({ ...hello, software: 'x'.repeat(1 << 20) })),
    ],
    ['B-W-12', 'a message of no kind', /wrong/, (wire) => wire.header(1, text({ type: 'give-me-all' }))],
    ['B-W-12', 'a field more', /wrong/, (wire) => wire.header(1, text({ ...hello, more: 1 }))],
    ['B-W-12', 'a field less', /wrong/, (wire) => wire.header(1, text({ ...hello, boot: undefined }))],
    ['B-W-12', 'a field of another type', /wrong/, (wire) => wire.header(1, text({ ...hello, protocols: 'all' }))],
    ['B-W-12', 'bytes after a message that has none', /bytes follow/, (wire) => wire.header(1, known, Buffer.alloc(9))],
    ['B-W-13', 'a number left out', /did not arrive/, (wire) => wire.header(2, known)],
    ['B-W-13', 'the largest number', /did not arrive/, (wire) => wire.header(2 ** 32 - 1, known)],
    [
      'C-40',
      'a version that the server does not speak',
      /speaks version/,
      (wire) => wire.header(1, text({ ...hello, protocols: [99] })),
    ],
    [
      'B-W-17',
      'chunks that nobody asked for',
      /never asked for/,
      (wire) => {
        wire.say(hello);
        wire.say({ type: 'chunk', stream: 7, offset: 0, crc: 0 }, Buffer.alloc(10));
      },
    ],
    [
      'B-W-17',
      'a blob from beyond its end',
      /asked for from/,
      (wire) => {
        wire.say(hello);
        wire.say({ type: 'want', stream: 1, blob: { sha256: 'a'.repeat(64), size: 5 }, offset: 5 });
      },
    ],
    [
      'B-W-23',
      'what only people may say',
      /A site does not send 'request'/,
      (wire) => {
        wire.say(hello);
        wire.say({ type: 'request', id: 0, method: 'abort', params: { job: 'job-1' } });
      },
    ],
    [
      'B-W-23',
      'what only the server may say',
      /A site does not send 'end-job'/,
      (wire) => {
        wire.say(hello);
        wire.say({ type: 'end-job', job: 'job-1', outcome: 'aborted', reason: '' });
      },
    ],
  ])('%s %s', (_, __, reason, act) => sentAway(reason, act));

  it.each<[string, string, () => Buffer]>([
    ['B-W-09', 'text where bytes are due', () => frame(1, Buffer.from('hello'))],
    ['B-W-09', 'a ping', () => frame(9, Buffer.alloc(0))],
    ['B-W-10', 'a message that is too long', () => frame(2, Buffer.alloc(maxFrameBytes + 1))],
    ['B-W-10', 'a message that claims 1 GiB', () => Buffer.concat([lengthOf(2, 2 ** 30), Buffer.alloc(1000)])],
    ['B-W-10', 'a compressed message', () => frame(2, Buffer.alloc(10), { compressed: true })],
    [
      'B-W-10',
      '200,000 fragments of one byte',
      () =>
        Buffer.concat([
          frame(2, Buffer.alloc(1), { more: true }),
          ...Array.from({ length: 200_000 }, () => frame(0, Buffer.alloc(1), { more: true })),
        ]),
    ],
  ])('%s %s', async (_, __, bytes) => {
    const socket = await tlsTo(door, kit);
    expect(await askForWebsocket(socket)).toMatch(/^HTTP\/1.1 101/);
    socket.resume();
    socket.write(bytes());
    await once(socket, 'close');
  });
});

it('B-W-08 who says nothing at all is not waited for', async () => {
  const wire = await wireTo(door, kit);
  const started = performance.now();
  await wire.closed;
  expect(performance.now() - started).toBeLessThan(15_000);
});

describe('what is only odd does no harm', () => {
  it('B-W-13 a frame that comes again is dropped', async () => {
    const wire = await wireTo(door, kit);
    wire.header(1, known);
    wire.header(1, known);
    wire.header(2, text({ type: 'beat' }));
    await welcomed(wire);
    wire.connection.close({ code: 'gone', message: '' });
  });

  it('B-W-15, B-W-16 answers of others, and to what was never asked, get an answer and count for nothing', async () => {
    const job = honest.folder().split('/').at(-1)!;
    const asked = stage.audit().find(({ event }) => event === 'answer-accepted')!;
    const wire = await wireTo(door, kit);
    wire.say(hello);
    const blob = { sha256: 'b'.repeat(64), size: 1000 };
    wire.say({ type: 'answer', job, task: String(asked.task), round: 0, blob });
    wire.say({ type: 'answer', job: 'no-such-job', task: 'c'.repeat(64), round: 99, blob });
    wire.say({ type: 'task-failed', job, task: String(asked.task), error: { tag: 'DataError', message: 'no' } });
    await until(wire, (type) => type === 'answered', 2);
    const told = wire.heard.map((bytes) => decodeFrame(bytes).message).filter(({ type }) => type === 'answered');
    expect(told).toMatchObject([{ outcome: 'unknown-task' }, { outcome: 'unknown-task' }]);
    wire.connection.close({ code: 'gone', message: '' });
  });

  it('B-W-24 a flood of 30,000 beats is read slowly', async () => {
    const wire = await wireTo(door, kit);
    wire.say(hello);
    for (let count = 0; count < 30_000; count++) wire.say({ type: 'beat' });
    await welcomed(wire);
    await honest.finished(latest() + 1);
    wire.connection.close({ code: 'gone', message: '' });
  });

  it('B-W-25 a storm of 2,000 connections is turned away at the door', async () => {
    for (let wave = 0; wave < 40; wave++) {
      const sockets = await Promise.all(Array.from({ length: 50 }, () => tcpTo(door)));
      for (const socket of sockets) socket.destroy();
    }
    await honest.finished(latest() + 1);
  });

  it('B-W-27 hundreds of changed frames on connections of their own', async () => {
    let seed = 27;
    const below = (most: number) => {
      seed = (seed * 48271) % 2147483647;
      return seed % most;
    };
    for (let connection = 0; connection < 40; connection++) {
      const wire = await wireTo(door, kit);
      for (let number = 1; number <= 25; number++) {
        const bytes = Buffer.from(known);
        for (let flips = below(4); flips > 0; flips--) bytes[below(bytes.length)] = 32 + below(95);
        wire.header(number, bytes);
      }
      wire.connection.close({ code: 'gone', message: '' });
    }
  });
});

describe('through all of it', () => {
  it('the job of the honest sites has gone on, the server is the same process, and its memory is bounded', async () => {
    await expectWhole(stage, honest, { budgetSeconds: 240 });
    expect(stage.member('server').running).toBe(true);
    expect(rssOf(stage.member('server').pid) - rssBefore, 'MB').toBeLessThan(100);
    expect(stage.member('server').log()).not.toMatch(/unhandled|uncaught|TypeError/i);
  });
});

/** The last round that has ended. */
function latest(): number {
  const rounds = honest.events.flatMap((event) => (event.kind === 'round-finished' ? [event.round] : []));
  return Math.min(honestRounds - 1, rounds.at(-1) ?? 0);
}

function welcomed(wire: Wire): Promise<void> {
  return until(wire, (type) => type === 'welcome', 1);
}

/** Resolves when so many messages of a kind came. */
async function until(wire: Wire, fits: (type: string) => boolean, count: number): Promise<void> {
  while (wire.heard.filter((bytes) => fits(decodeFrame(bytes).message.type)).length < count) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}
