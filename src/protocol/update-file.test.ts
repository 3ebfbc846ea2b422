import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { payloadKinds } from '../jobs/filter-spec';
import { decodeSafetensors, encodeSafetensors } from '../tensor/safetensors';
import { float32, type NamedTensors } from '../tensor/tensor';
import { toJson } from '../util/exact-json';
import type { Update } from './messages';
import { mostMetrics } from './payload';
import { decodeUpdateFile, updateFileParts } from './update-file';

const model = 'a'.repeat(64);
const tensors: NamedTensors = new Map([['w', float32([2], [1, -2])]]);
const update: Update = {
  site: 'site-1',
  round: 3,
  task: 'train',
  payload: { kind: 'weight-diff', tensors, metrics: { val_dice: null, train_loss: 0.25 }, steps: 6 },
  privacy: [
    {
      mechanism: 'percentile',
      differentiallyPrivate: false,
      epsilon: Number.POSITIVE_INFINITY,
      delta: 0,
      unit: 'one update',
      details: { released: 3, floor: Number.NEGATIVE_INFINITY },
    },
  ],
  seconds: { validate: 1, train: 2.5, other: 0 },
};

const bytesOf = (parts: readonly Uint8Array[]) => Buffer.concat(parts);

/** The file with its metadata changed. */
function withMetadata(change: (metadata: Record<string, string>) => Record<string, string>): Uint8Array {
  const { metadata } = decodeSafetensors(bytesOf(updateFileParts(update, model)));
  return encodeSafetensors(tensors, change({ ...metadata }));
}

/** The file with something else in the place of the update's own data. */
const withUpdate = (change: object) =>
  withMetadata((metadata) => ({ ...metadata, update: JSON.stringify({ ...JSON.parse(metadata.update!), ...change }) }));

const { payload, privacy } = JSON.parse(decodeSafetensors(bytesOf(updateFileParts(update, model))).metadata.update!);

describe('an update file', () => {
  it('brings the update back, infinite costs and undefined metrics included', () => {
    const bytes = bytesOf(updateFileParts(update, model));
    expect(decodeUpdateFile(bytes)).toEqual({ update, model });
    expect(bytesOf(updateFileParts(decodeUpdateFile(bytes).update, model))).toEqual(bytes);
  });

  it('brings every update back', () => {
    const amount = fc.oneof(fc.double({ min: 0, noNaN: true }), fc.constant(Number.POSITIVE_INFINITY));
    const seconds = fc.double({ min: 0, noNaN: true, noDefaultInfinity: true });
    const name = fc
      .string({ maxLength: 128 })
      .filter((one) => !['__proto__', 'constructor', 'prototype'].includes(one));
    const updates = fc.record({
      site: fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,62}$/),
      round: fc.nat(),
      task: fc.string({ minLength: 1, maxLength: 64 }),
      payload: fc.record({
        kind: fc.constantFrom(...payloadKinds),
        tensors: fc.constant(tensors),
        metrics: fc.dictionary(name, fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }))),
        steps: fc.nat({ max: 1e7 }),
      }),
      privacy: fc.array(
        fc.record({
          mechanism: fc.string(),
          differentiallyPrivate: fc.boolean(),
          epsilon: amount,
          delta: amount,
          unit: fc.string(),
          details: fc.dictionary(name, fc.double({ noNaN: true })),
        }),
      ),
      seconds: fc.record({ validate: seconds, train: seconds, other: seconds }),
    });
    /** As JSON, which knows no negative zero. */
    const plain = ({ payload: { tensors: _, ...rest }, ...more }: Update): unknown =>
      JSON.parse(toJson({ ...more, rest }));
    fc.assert(
      fc.property(updates, (given) => {
        const { update: back } = decodeUpdateFile(bytesOf(updateFileParts(given, model)));
        expect(plain(back)).toEqual(plain(given));
      }),
    );
  });

  it('has names that can be shown: what a terminal would act upon is a blank', () => {
    const read = decodeUpdateFile(
      withUpdate({
        payload: { ...payload, metrics: { 'val\x1b[2J': 1, 'two  blanks ': 2 } },
        privacy: [{ ...privacy[0], mechanism: 'noise\nof ours' }],
      }),
    ).update;
    expect(read.payload.metrics).toEqual({ 'val [2J': 1, 'two  blanks ': 2 });
    expect(read.privacy[0]!.mechanism).toBe('noise of ours');
  });

  it.each<[string, object, string]>([
    ['the name of no site', { site: '../x' }, "at 'site'"],
    ['a round before the first', { round: -1 }, "at 'round'.*found -1"],
    ['half a round', { round: 0.5 }, "at 'round'.*found 0.5"],
    ['an endless task', { task: 'x'.repeat(65) }, "at 'task'"],
    ['an unknown kind', { payload: { ...payload, kind: 'cases' } }, "at 'payload.kind'.*found cases"],
    ['more steps than anyone takes', { payload: { ...payload, steps: 1e8 } }, "at 'payload.steps'.*found 1e?"],
    ['steps that are no whole number', { payload: { ...payload, steps: 1.5 } }, "at 'payload.steps'.*found 1.5"],
    ['fewer steps than none', { payload: { ...payload, steps: -1 } }, "at 'payload.steps'.*found -1"],
    ['an infinite metric', { payload: { ...payload, metrics: { a: 'Infinity' } } }, "at 'payload.metrics.a'.*Infinity"],
    ['a metric that is text', { payload: { ...payload, metrics: { a: 'patient 7' } } }, "at 'payload.metrics.a'"],
    ['a name too long', { payload: { ...payload, metrics: { ['m'.repeat(129)]: 1 } } }, 'payload.metrics'],
    [
      'too many metrics',
      {
        payload: { ...payload, metrics: Object.fromEntries(Array.from({ length: mostMetrics + 1 }, (_, i) => [i, i])) },
      },
      `at most ${mostMetrics} metrics`,
    ],
    ['a negative cost', { privacy: [{ ...privacy[0], epsilon: -1 }] }, "at 'privacy.0.epsilon'"],
    ['a cost of text', { privacy: [{ ...privacy[0], delta: 'none' }] }, "at 'privacy.0.delta'.*found none"],
    ['time that ran backwards', { seconds: { validate: 0, train: -1, other: 0 } }, "at 'seconds.train'.*found -1"],
    ['a key that nobody knows', { extra: 1 }, 'extra'],
    ['a missing key', { seconds: undefined }, "at 'seconds'"],
  ])('with %s is refused, saying where', (_, change, message) => {
    expect(() => decodeUpdateFile(withUpdate(change))).toThrow(
      expect.objectContaining({ tag: 'DataError', message: expect.stringMatching(message) }),
    );
  });

  it('that reaches for prototypes, names a key twice, or is nested without end is refused', () => {
    const texts = ['{"__proto__": {}}', '{"site": "a", "site": "b"}', '['.repeat(1000), '', 'null', '[]', '{}'];
    for (const text of texts) {
      const file = withMetadata((metadata) => ({ ...metadata, update: text }));
      expect(() => decodeUpdateFile(file)).toThrow(expect.objectContaining({ tag: 'DataError' }));
    }
  });

  it('without a digest of the model, with a wrong one, or with more metadata is refused', () => {
    const cases: ((metadata: Record<string, string>) => Record<string, string>)[] = [
      ({ update: text }) => ({ update: text! }),
      (metadata) => ({ ...metadata, model: 'abc' }),
      (metadata) => ({ ...metadata, note: 'x' }),
      () => ({}),
    ];
    for (const change of cases) {
      expect(() => decodeUpdateFile(withMetadata(change))).toThrow(/The metadata of the update is wrong/);
    }
  });

  it('that is too long as a whole or in its header is refused before it is read', () => {
    const bytes = bytesOf(updateFileParts(update, model));
    expect(() => decodeUpdateFile(bytes, { maxBytes: bytes.length - 1 })).toThrow(`at most ${bytes.length - 1}`);
    expect(() => decodeUpdateFile(bytes, { maxHeaderBytes: 100 })).toThrow('at most 100 are accepted');
  });

  it('cut short anywhere, or with any byte changed, gives a DataError or an update of the same form', () => {
    const bytes = bytesOf(updateFileParts(update, model));
    for (let size = 0; size < bytes.length; size++) {
      expect(() => decodeUpdateFile(bytes.subarray(0, size))).toThrow(expect.objectContaining({ tag: 'DataError' }));
    }
    for (let i = 0; i < bytes.length; i++) {
      const changed = Buffer.from(bytes);
      changed[i]! ^= 1 << (i % 8);
      try {
        const { update: found } = decodeUpdateFile(changed);
        expect(Object.keys(found)).toEqual(Object.keys(update));
      } catch (error) {
        expect(error).toMatchObject({ tag: 'DataError' });
      }
    }
  });

  it('is not made of an update that nobody would take', () => {
    const steps = { ...update, payload: { ...update.payload, steps: 1e9 } };
    expect(() => updateFileParts(steps, model)).toThrow(expect.objectContaining({ tag: 'DataError' }));
  });
});
