import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arbitraryOf } from '../../../test/support/arbitrary-of';
import { isConsiliumError } from '../../errors';
import { valueAt } from '../../util/parse-options';
import { stream } from '../../util/streams';
import { decodeFrame, encodeFrame, maxChunkBytes, maxHeaderBytes } from './frame';
import { carriesBytes, type Message, message } from './messages';

const messages = arbitraryOf(message).filter((value): value is Message => message.safeParse(value).success);

/** A frame around any header, as somebody else might write it. */
function frameOf(header: string | Uint8Array, bytes = new Uint8Array(0), number = 1): Buffer {
  const text = Buffer.from(header as string);
  const start = Buffer.alloc(8);
  start.writeUInt32LE(text.length, 0);
  start.writeUInt32LE(number, 4);
  return Buffer.concat([start, text, bytes]);
}

function refusal(frame: Uint8Array): string {
  try {
    decodeFrame(frame);
  } catch (error) {
    if (isConsiliumError(error, 'ProtocolError')) return error.message;
    throw error;
  }
  return 'accepted';
}

test('what is written is read: every kind of message, with its number and its bytes', () => {
  const seen = new Set<string>();
  const body = fc.uint8Array({ minLength: 1, maxLength: 100 });
  fc.assert(
    fc.property(messages, body, fc.integer({ min: 1, max: 0xffffffff }), (sent, bytes, number) => {
      seen.add(sent.type);
      const sends = carriesBytes.has(sent.type);
      const frame = Buffer.concat(encodeFrame(number, sent, sends ? [bytes.subarray(0, 1), bytes.subarray(1)] : []));
      const read = decodeFrame(frame);
      expect(read.number).toBe(number);
      expect(read.message).toEqual(legible(JSON.parse(JSON.stringify(sent))));
      expect(Buffer.from(read.bytes)).toEqual(Buffer.from(sends ? bytes : []));
    }),
    { numRuns: 1000, seed: 1 },
  );
  expect([...seen].sort()).toEqual(
    kinds()
      .map(({ type }) => type)
      .sort(),
  );
});

/** A message whose texts are one line each, character by character; what is data and no text stays as it is. */
function legible(value: unknown, key = ''): unknown {
  const isData = key === 'settings' || key === 'params' || key === 'result';
  if (isData || value === null) return value;
  if (Array.isArray(value)) return value.map((one) => legible(one));
  if (typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, legible(one, name)]));
  }
  if (typeof value !== 'string') return value;
  const isSeen = (letter: string) => letter.trim() !== '' && !/^\p{C}$/u.test(letter);
  const isName = key === 'kind' || key === 'method';
  if (isName) return [...value].map((letter) => (isSeen(letter) || /^\p{Zs}$/u.test(letter) ? letter : ' ')).join('');
  const words = [...value].map((letter) => (isSeen(letter) ? letter : ' ')).join('');
  return words
    .split(' ')
    .filter((word) => word !== '')
    .join(' ');
}

test('the layout is the published one', () => {
  const header = '{"type":"got","stream":2,"offset":7}';
  expect(Buffer.concat(encodeFrame(258, { type: 'got', stream: 2, offset: 7 }))).toEqual(
    Buffer.concat([Buffer.from([header.length, 0, 0, 0, 2, 1, 0, 0]), Buffer.from(header)]),
  );
});

test('what a reader would refuse is not written', () => {
  const wrong = { type: 'progress', job: 'a', round: 0, phase: 'train', done: 1, total: 2, loss: Number.NaN } as const;
  expect(() => encodeFrame(1, wrong)).toThrow(/A message to send is wrong: 'loss' of 'progress'.*NaN/);
  const long = { type: 'response', id: 1, result: 'x'.repeat(maxHeaderBytes) } as const;
  expect(() => encodeFrame(1, long)).toThrow(`${maxHeaderBytes} is the most`);
});

const beat = '{"type":"beat"}';
test.each<[string, Uint8Array, RegExp | string]>([
  ['nothing', new Uint8Array(0), 'it has 0 bytes'],
  ['half a start', Buffer.alloc(7), 'it has 7 bytes'],
  ['no header', Buffer.from([0, 0, 0, 0, 1, 0, 0, 0]), 'the header is malformed'],
  ['a header that claims 4 GiB', Buffer.alloc(8, 0xff), 'claims 4294967295 bytes'],
  ['a header longer than the frame', frameOf(beat).subarray(0, -1), 'claims 15 bytes, and 14 follow'],
  ['a header that is not UTF-8', frameOf(Buffer.from([0xc3, 0x28])), 'not UTF-8'],
  ['a byte order mark', frameOf(`\ufeff${beat}`), 'malformed at character 0'],
  ['a list', frameOf('[]'), 'A message is wrong'],
  ['null', frameOf('null'), 'A message is wrong'],
  ['no type', frameOf('{}'), "'type' of it"],
  ['an unknown type', frameOf('{"type":"self-destruct"}'), "'type' of 'self-destruct'"],
  ['an unknown key', frameOf('{"type":"beat","x":1}'), /'beat': Unrecognized key: "x"/],
  ['a key twice', frameOf('{"type":"beat","type":"beat"}'), 'the key "type" twice'],
  ['two values', frameOf(`${beat} ${beat}`), 'expected the end'],
  ['depth 10,000', frameOf(`{"type":"request","id":1,"method":"a","params":${'['.repeat(10_000)}`), 'deeper than 32'],
  [
    'a string of 1 MB',
    frameOf(`{"type":"bye","code":"gone","message":"${'x'.repeat(1_000_000)}"}`),
    "'message' of 'bye'",
  ],
  ['a number beyond all', frameOf('{"type":"got","stream":1,"offset":1e400}'), "'offset' of 'got'"],
  ['2^53', frameOf('{"type":"got","stream":1,"offset":9007199254740992}'), "'offset' of 'got'"],
  ['bytes after a beat', frameOf(beat, Buffer.alloc(3)), "3 bytes follow a 'beat'"],
  ['a chunk without bytes', frameOf('{"type":"chunk","stream":1,"offset":0,"crc":0}'), "a 'chunk' has no bytes"],
  [
    'a chunk that is too long',
    frameOf('{"type":"chunk","stream":1,"offset":0,"crc":0}', Buffer.alloc(maxChunkBytes + 1)),
    `a chunk has ${maxChunkBytes + 1} bytes`,
  ],
])('%s is refused', (_, frame, why) => {
  expect(refusal(frame)).toMatch(why);
});

test.each(['__proto__', 'constructor', 'prototype'])('the key %s is refused at every level', (key) => {
  expect(refusal(frameOf(`{"type":"beat","${key}":{"polluted":1}}`))).toContain(`the key '${key}'`);
  const inside = `{"type":"request","id":1,"method":"a","params":[{"x":{"${key}":{"polluted":1}}}]}`;
  expect(refusal(frameOf(inside))).toContain(`the key '${key}'`);
  expect({}).not.toHaveProperty('polluted');
});

test('a refusal quotes little of what came', () => {
  const huge = `{"type":"request","id":1,"method":"${'m'.repeat(100_000)}","params":{}}`;
  expect(refusal(frameOf(huge)).length).toBeLessThan(400);
  expect(refusal(frameOf(`{"type":"${'t'.repeat(100_000)}"}`)).length).toBeLessThan(600);
});

describe('every field of every message, missing or of the wrong type, is refused', () => {
  const cases = new Map(kinds().map((kind) => [kind.type, fieldCases(kind)]));

  test('there are hundreds of cases', () => {
    expect([...cases.values()].flat().length).toBeGreaterThan(1000);
  });

  test.each([...cases.keys()])('%s', (type) => {
    const bytes = type === 'chunk' ? Buffer.alloc(1) : undefined;
    for (const { what, header } of cases.get(type)!) {
      expect(refusal(frameOf(JSON.stringify(header), bytes)), what).toContain('A message is wrong');
    }
  });
});

test('100,000 mutated frames are valid messages or refused, and memory stays where it is', () => {
  const random = stream(7, 'frames');
  const below = (most: number) => Math.floor(random.random() * most);
  const valid = fc
    .sample(messages, { numRuns: 400, seed: 11 })
    .map((one, i) =>
      Buffer.concat(encodeFrame(i + 1, one, carriesBytes.has(one.type) ? [Buffer.alloc(1 + (i % 300), i)] : [])),
    );
  const outcome = { accepted: 0, refused: 0 };
  const before = process.memoryUsage();
  for (let i = 0; i < 100_000; i++) {
    const verdict = refusal(mutated(valid[below(valid.length)]!, valid[below(valid.length)]!, below));
    if (verdict === 'accepted') outcome.accepted++;
    else outcome.refused++;
  }
  const { rss, external } = process.memoryUsage();
  expect(outcome.refused).toBeGreaterThan(50_000);
  expect(outcome.accepted).toBeGreaterThan(100);
  expect(rss - before.rss).toBeLessThan(200e6);
  expect(external - before.external).toBeLessThan(50e6);
});

interface Kind {
  readonly type: string;
  /** With every field there, and lists that are not empty. */
  readonly example: Readonly<Record<string, unknown>>;
}

/** Every message, by the schemas. */
function kinds(): readonly Kind[] {
  return message.options.map((option) => {
    const keys = Object.keys(option.shape);
    const whole = arbitraryOf(option).filter((value) => {
      const fields = value as Record<string, unknown>;
      const full = keys.every((key) => Object.hasOwn(fields, key) && !isEmptyList(fields[key]));
      return full && option.safeParse(value).success;
    });
    const [example] = fc.sample(whole, { numRuns: 1, seed: 3 }) as [Record<string, unknown>];
    return { type: String(example.type), example };
  });
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

/** Values of each JSON type, and numbers and texts at the edges. */
const strangers = [null, true, 1.5, -1, 2 ** 53, 'a text that is no hash', '', [], {}, [[]], { a: 1 }] as const;

/** Each field, also of objects within, missing where it must be there, and of every type that the schema does not take. */
function fieldCases({ type, example }: Kind): { what: string; header: Record<string, unknown> }[] {
  return pathsIn(example).flatMap((path) => {
    const without = { what: `'${type}' without ${path.join('.')}`, header: changed(example, path, undefined) };
    const wrong = strangers.map((value) => ({
      what: `'${type}' with ${path.join('.')} = ${JSON.stringify(value)}`,
      header: changed(example, path, value),
    }));
    return [without, ...wrong].filter(({ header }) => !message.safeParse(header).success);
  });
}

function pathsIn(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  const inner = Object.entries(value).flatMap(([key, item]) => pathsIn(item, [...path, key]));
  return path.length === 0 ? inner : [path, ...inner];
}

/** A copy with another value at the path; `undefined` takes the field away. */
function changed(example: object, path: readonly string[], value: unknown): Record<string, unknown> {
  const copy = structuredClone(example) as Record<string, unknown>;
  const holder = valueAt(copy, path.slice(0, -1)) as Record<string, unknown>;
  if (value === undefined) delete holder[path.at(-1)!];
  else holder[path.at(-1)!] = value;
  return JSON.parse(JSON.stringify(copy));
}

/** Some damage: flipped bits, cut or repeated pieces, another frame's pieces, wrong lengths, other digits. */
function mutated(frame: Buffer, other: Buffer, below: (most: number) => number): Buffer {
  let bytes = Buffer.from(frame);
  for (let times = 1 + below(3); times > 0; times--) {
    const at = below(bytes.length);
    const to = at + below(bytes.length - at);
    switch (below(7)) {
      case 0:
        bytes[at]! ^= 1 << below(8);
        break;
      case 1:
        bytes = bytes.subarray(0, at + 1);
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, to), bytes.subarray(at)]);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at + 1), other.subarray(below(other.length))]);
        break;
      case 4:
        if (bytes.length >= 4) bytes.writeUInt32LE(below(2) === 0 ? below(1000) : below(0xffffffff), 0);
        break;
      case 5:
        bytes[at] = '0123456789{}[]",:-.e\\ntu'.charCodeAt(below(24));
        break;
      default:
        bytes = Buffer.concat([bytes.subarray(0, at + 1), bytes.subarray(to)]);
    }
    if (bytes.length === 0) return bytes;
  }
  return bytes;
}

describe('texts of somebody else are one line, without characters that a terminal acts upon', () => {
  const escapes = '\x1b[2J\x1b[31mred \n2026-11-27T15:50:00.000Z site-2: answer accepted\r\u2028\x1b]0;pwn\x07\x9b1m';
  const shown = '[2J [31mred 2026-11-27T15:50:00.000Z site-2: answer accepted ]0;pwn 1m';

  test('the reason of a site that refuses a job', () => {
    const answer = { type: 'job-answer', job: 'a', verdict: 'refused', reason: escapes };
    expect(decodeFrame(frameOf(JSON.stringify(answer))).message).toEqual({ ...answer, reason: shown });
  });

  test('what quotes the message that is refused', () => {
    const why = [
      refusal(frameOf(JSON.stringify({ type: escapes }))),
      refusal(frameOf(JSON.stringify({ type: 'beat', [escapes]: 1 }))),
      refusal(frameOf(JSON.stringify({ type: 'job', job: escapes, bundle: {} }))),
    ];
    for (const message of why) {
      expect(message).toContain('[2J');
      expect(message).not.toMatch(/\p{Cc}|\u2028/u);
    }
  });
});
