import { describe, expect, it } from 'vitest';
import { isColoured } from './colours';

describe('colours', () => {
  it.each([
    [true, {}, true],
    [false, {}, false],
    [false, { CI: 'true' }, false],
    [true, { NO_COLOR: '1' }, false],
    [true, { NO_COLOR: '1', FORCE_COLOR: '1' }, false],
    [false, { FORCE_COLOR: '1' }, true],
    [true, { FORCE_COLOR: '0' }, false],
    [true, { TERM: 'dumb' }, false],
  ])('a terminal: %s, with %j: %s', (isTTY, environment, expected) => {
    expect(isColoured({ isTTY }, environment)).toBe(expected);
  });
});
