import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { referencePages } from '../../scripts/reference';

it.each(Object.entries(referencePages()))('%s is what `npm run reference` writes', (path, text) => {
  expect(readFileSync(path, 'utf8')).toBe(text);
});
