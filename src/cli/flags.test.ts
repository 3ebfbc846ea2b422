import { InvalidArgumentError } from 'commander';
import { expect, it } from 'vitest';
import { jobIdOf, portNumber } from './flags';

it('what is no id of a job is refused with what one looks like', () => {
  expect(jobIdOf('brats18_4-1f0a9c3e')).toBe('brats18_4-1f0a9c3e');
  for (const text of ['../../etc', '', 'a b', 'x'.repeat(121)]) {
    expect(() => jobIdOf(text)).toThrow(InvalidArgumentError);
    expect(() => jobIdOf(text)).toThrow(/such as brats18_4-1f0a9c3e: `consilium jobs`/);
  }
});

it('a port is one of the network', () => {
  expect([portNumber('1'), portNumber('65535')]).toEqual([1, 65535]);
  for (const text of ['0', '65536', '99999', '-1', '8.5', 'http']) expect(() => portNumber(text)).toThrow('1 to 65535');
});
