import { describe, expect, it } from 'vitest';
import { messageType, type ProtoSchema } from './protobuf';

const schema: ProtoSchema = {
  Shape: { dims: { type: 'int64', id: 1, rule: 'repeated' } },
  Value: {
    name: { type: 'string', id: 1 },
    shape: { type: 'Shape', id: 2 },
    scale: { type: 'float', id: 3 },
    raw: { type: 'bytes', id: 4 },
  },
};

describe('messageType', () => {
  const value = messageType(schema, 'Value');

  it('writes the bytes of the protobuf wire format', () => {
    expect([...value.encode({ name: 'ab', shape: { dims: [1, 300] } })]).toEqual([
      10, 2, 97, 98, 18, 5, 10, 3, 1, 172, 2,
    ]);
  });

  it('reads back what it wrote', () => {
    const message = { name: 'x', shape: { dims: [3, 2 ** 40] }, scale: 0.5, raw: new Uint8Array([0, 255]) };
    const { raw, ...rest } = value.decode(value.encode(message));
    expect(rest).toEqual({ name: 'x', shape: { dims: [3, 2 ** 40] }, scale: 0.5 });
    expect([...(raw as Uint8Array)]).toEqual([0, 255]);
  });

  it('refuses bytes that are no such message', () => {
    expect(() => value.decode(new Uint8Array([255, 255]))).toThrow(/2 bytes were expected to be a Value message/);
  });
});
