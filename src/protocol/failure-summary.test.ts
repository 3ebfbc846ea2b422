import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DataError, errorFromData, errorToData, SiteFailedError, withSummary } from '../errors';
import { failureSummary, summarise } from './failure-summary';

const secret = 'patient 4711 in /data/anna.nii.gz';

function systemError(): unknown {
  try {
    return readFileSync('/there/is/no/such/file');
  } catch (error) {
    return error;
  }
}

describe('what a server is told of a failure', () => {
  it.each([
    [
      'an error of ours',
      new DataError(secret, { file: secret }),
      'its data cannot be used (DataError, while training)',
    ],
    [
      'what a script threw',
      new SiteFailedError(secret, { cause: new RangeError(secret) }),
      'its training code failed (SiteFailedError, RangeError, while training)',
    ],
    [
      'what a script in another thread threw',
      new SiteFailedError(secret, { cause: Object.assign(new Error(secret), { stack: `TypeError: ${secret}` }) }),
      'its training code failed (SiteFailedError, TypeError, while training)',
    ],
    ['an error of the system', systemError(), 'something unexpected went wrong (ENOENT, while training)'],
    ['an error of JavaScript', new TypeError(secret), 'something unexpected went wrong (TypeError, while training)'],
    ['what is no error at all', secret, 'something unexpected went wrong (while training)'],
    [
      'an error whose names somebody chose',
      Object.assign(new Error(secret), { name: secret, code: secret, stack: secret, summary: secret, tag: secret }),
      'something unexpected went wrong (while training)',
    ],
    [
      'an error with a tag that is none',
      Object.assign(new Error(secret), { tag: 'constructor' }),
      'something unexpected went wrong (Error, while training)',
    ],
  ])('is its class and where it came, of %s', (_, error, expected) => {
    expect(summarise(error, 'while training')).toBe(expected);
  });

  it('comes through threads, and holds nothing of the message, the hint or the stack', () => {
    const error = withSummary(new DataError(secret, { hint: secret }), summarise(new DataError(secret), 'at the end'));
    const received = failureSummary(errorFromData(structuredClone(errorToData(error))));
    expect(received).toEqual({
      tag: 'DataError',
      message: "its data cannot be used (DataError, at the end); the site's log has the details",
      hint: undefined,
      stack: undefined,
    });
    expect(JSON.stringify(failureSummary(new Error(secret)))).not.toContain('4711');
  });
});
