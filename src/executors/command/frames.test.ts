import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { encodeFrame, type Frame, frameReader } from './frames';

const bytes = (...frames: (readonly Uint8Array[])[]) => Buffer.concat(frames.flat());

function read(stream: Uint8Array, size = stream.length, limit = 1000) {
  const frames: Frame[] = [];
  const reader = frameReader({ payloadLimit: () => limit, onFrame: (frame) => frames.push(frame) });
  for (let at = 0; at < stream.length; at += size) reader.push(stream.subarray(at, at + size));
  return { frames, unfinished: reader.unfinished() };
}

describe('frames', () => {
  const stream = bytes(
    encodeFrame({ type: 'hello', protocol: 1 }),
    encodeFrame({ type: 'reply', name: 'ä' }, [Uint8Array.of(1, 2), Uint8Array.of(3)]),
    encodeFrame({ type: 'bye' }),
  );

  it.each([1, 2, 15, 16, 17, 1000])('come out as they went in, in chunks of %i bytes', (size) => {
    const { frames, unfinished } = read(stream, size);
    expect(frames.map(({ header, payload }) => [header, [...payload]])).toEqual([
      [
        new Map<string, unknown>([
          ['type', 'hello'],
          ['protocol', 1],
        ]),
        [],
      ],
      [
        new Map([
          ['type', 'reply'],
          ['name', 'ä'],
        ]),
        [1, 2, 3],
      ],
      [new Map([['type', 'bye']]), []],
    ]);
    expect(unfinished).toBeUndefined();
  });

  it('are laid out as the specification says', () => {
    expect([...bytes(encodeFrame({ a: 1 }, [Uint8Array.of(9)]))]).toEqual([
      ...[0xff, 0x43, 0x46, 0x01],
      ...[7, 0, 0, 0],
      ...[1, 0, 0, 0, 0, 0, 0, 0],
      ...Buffer.from('{"a":1}'),
      9,
    ]);
  });

  it('are what the specification shows in hexadecimal', () => {
    const page = readFileSync(join('docs', 'reference', 'trainer-protocol.md'), 'utf8');
    const shown = /^FF434601 [0-9A-F ]+$/m.exec(page)![0].replaceAll(' ', '');
    expect(
      bytes(encodeFrame({ type: 'bye' }))
        .toString('hex')
        .toUpperCase(),
    ).toBe(shown);
  });

  it.each([
    ['in the prefix', 5, '5 of the 16 bytes of its prefix'],
    ['in the header', 20, '4 of the 29 bytes of its header'],
  ])('tell where a stream was cut off %s', (_, length, words) => {
    expect(read(stream.subarray(0, length)).unfinished).toBe(words);
  });

  it.each([
    ['text', Buffer.from('epoch 1: loss 0.3\n'), 'something other than a frame came: "epoch 1: loss 0.3\\n"'],
    ['one letter', Buffer.from('e'), 'something other than a frame came'],
    ['text behind a frame', Buffer.concat([stream, Buffer.from('done')]), 'something other than a frame came: "done"'],
    ['no header', Buffer.from([0xff, 0x43, 0x46, 1, ...new Array(12).fill(0)]), 'declares a header of 0 bytes'],
    ['a huge header', Buffer.from([0xff, 0x43, 0x46, 1, ...new Array(12).fill(255)]), 'a header of 4294967295 bytes'],
    ['a huge payload', bytes(encodeFrame({}, [new Uint8Array(1001)])), 'a payload of 1001 bytes; at most 1000'],
    ['wrong JSON', frameWith('{"a": NaN}'), 'malformed at character 6'],
    ['a key twice', frameWith('{"a": 1, "a": 2}'), 'has the key "a" twice'],
    ['wrong UTF-8', bytes([...encodeFrame([1, 1]).slice(0, 1), Uint8Array.of(0x22, 0x61, 0xff, 0x61, 0x22)]), 'UTF-8'],
  ])('refuse %s', (_, stream, message) => {
    expect(() => read(stream)).toThrow(message);
  });

  it('are not written with a header that no reader takes', () => {
    expect(() => encodeFrame({ config: 'x'.repeat(2 ** 20) })).toThrow('at most 1048576 bytes');
  });
});

function frameWith(header: string): Buffer {
  const [prefix] = encodeFrame({});
  const frame = Buffer.concat([prefix!, Buffer.from(header)]);
  frame.writeUInt32LE(Buffer.byteLength(header), 4);
  return frame;
}
