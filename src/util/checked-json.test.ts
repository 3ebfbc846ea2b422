import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkedJson, piecesWithCheck, withCheck } from './checked-json';

const object = fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }).map((value) => JSON.stringify(value));

describe('JSON with a checksum', () => {
  it('is JSON, and gives back what it was made of', () => {
    fc.assert(
      fc.property(object, (json) => {
        const text = withCheck(json);
        expect(checkedJson(text)).toEqual({ json, check: JSON.parse(text).check });
      }),
    );
  });

  it('is the same in pieces', () => {
    fc.assert(
      fc.property(object, fc.nat(), (json, at) => {
        const bytes = Buffer.from(json);
        const cut = at % bytes.length;
        const pieces = [bytes.subarray(0, cut), bytes.subarray(cut, -1), bytes.subarray(-1)];
        expect(Buffer.concat(piecesWithCheck(pieces)).toString()).toBe(withCheck(json));
      }),
    );
  });

  it('tells of any wrong bit, and of any cut', () => {
    const text = Buffer.from(withCheck('{"epsilon":0.25,"unit":"one update"}'));
    for (let bit = 0; bit < 8 * text.length; bit++) {
      const changed = Buffer.from(text);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(checkedJson(changed.toString())).toBeUndefined();
    }
    for (let size = 0; size < text.length; size++) expect(checkedJson(text.toString('utf8', 0, size))).toBeUndefined();
  });

  it('tells when one is missing before it', () => {
    const first = withCheck('{"a":1}');
    const { check } = checkedJson(first)!;
    const second = withCheck('{"a":2}', check);
    expect(checkedJson(second, check)?.json).toBe('{"a":2}');
    expect(checkedJson(second)).toBeUndefined();
  });
});
