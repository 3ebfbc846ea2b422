import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseStrictJson, type StrictJson } from './strict-json';

/** Maps back to objects, so that a result can be compared with that of `JSON.parse`. */
function plain(value: StrictJson): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]));
  return Array.isArray(value) ? value.map(plain) : value;
}

test('reads what JSON.parse reads', () => {
  const json = fc.json({ maxDepth: 5 }).filter((text) => !text.includes('__proto__'));
  fc.assert(
    fc.property(json, (text) => {
      expect(plain(parseStrictJson(text))).toEqual(JSON.parse(text));
    }),
  );
});

test('keeps the order of keys that look like numbers', () => {
  const value = parseStrictJson('{"10": 1, "b": 2, "2": 3}') as ReadonlyMap<string, StrictJson>;
  expect([...value.keys()]).toEqual(['10', 'b', '2']);
});

test('refuses duplicate keys at every level', () => {
  expect(() => parseStrictJson('{"a": 1, "a": 2}')).toThrow('has the key "a" twice');
  expect(() => parseStrictJson('[{"x": {"\\u0061": 1, "a": 2}}]')).toThrow('has the key "a" twice');
});

test.each(['', '{', '[1,]', '{"a"}', '{"a":1,}', '{a:1}', "'a'", '01', '1 2', '"\\x"', 'nul', '"a\nb"', 'NaN'])(
  'refuses %j',
  (text) => {
    expect(() => parseStrictJson(text, { what: 'The header' })).toThrow(/The header/);
  },
);

test('bounds the depth before the stack overflows', () => {
  expect(() => parseStrictJson('['.repeat(100_000))).toThrow('nested deeper than 16 levels');
});
