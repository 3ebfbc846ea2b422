import { expect, it } from 'vitest';
import { AbortedError, RefusedError } from '../errors';
import { withKit } from './with-server';

const hinted = (hint: string) => withKit(new RefusedError('No.', { hint }), './ada');

it.each([
  ['Abort it first: consilium abort small-1f0a9c3e', 'Abort it first: consilium abort small-1f0a9c3e --kit ./ada'],
  ['Wait (consilium logs a_b.c-1 --follow), or not.', 'Wait (consilium logs a_b.c-1 --follow --kit ./ada), or not.'],
  ['`consilium jobs` lists them.', '`consilium jobs --kit ./ada` lists them.'],
  ['consilium show a --kit b', 'consilium show a --kit b'],
  ['Run `consilium provision renew ada`.', 'Run `consilium provision renew ada`.'],
])('a command in a hint of the server can be pasted: %s', (hint, shown) => {
  expect(hinted(hint)).toMatchObject({ tag: 'RefusedError', message: 'No.', hint: shown });
});

it('an error without a command in its hint stays the same', () => {
  const stopped = new AbortedError('Stopped.');
  expect(withKit(stopped, './ada')).toBe(stopped);
});
