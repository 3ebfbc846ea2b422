import fc from 'fast-check';
import { expect, it } from 'vitest';
import { matchesGlob } from './glob';

it.each([
  ['conv.weight', 'conv.weight', true],
  ['conv.weight', 'conv.weights', false],
  ['conv.*', 'conv.', true],
  ['*.bias', 'a.b.bias', true],
  ['*.bias', 'bias', false],
  ['a*b*c', 'a-b-b-c', true],
  ['a*b*c', 'ac', false],
  ['a*a', 'a', false],
  ['*', '', true],
  ['**', 'x', true],
  ['a.c', 'abc', false],
  ['[ab]', 'a', false],
  ['x*yx*y', 'xyxyxy', true],
])("'%s' and '%s': %s", (pattern, name, fits) => {
  expect(matchesGlob(pattern, name)).toBe(fits);
});

it('agrees with the regular expression that it stands for', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 8 });
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*'), maxLength: 6 });
  fc.assert(
    fc.property(pattern, text, (pattern, name) => {
      const expression = new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.*')}$`);
      expect(matchesGlob(pattern, name)).toBe(expression.test(name));
    }),
    { seed: 2, numRuns: 2000 },
  );
});

it('takes no time for a pattern that would take a regular expression for ever', () => {
  expect(matchesGlob(`${'*a'.repeat(2000)}b`, 'a'.repeat(4000))).toBe(false);
});
