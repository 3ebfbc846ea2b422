import { afterEach, describe, expect, it, vi } from 'vitest';
import { ConnectError } from '../errors';
import type { SiteEvent } from '../runtime/client/start-site';
import { wrongVersion } from '../transport/hub';
import { siteDisplay } from './site-display';

afterEach(() => vi.restoreAllMocks());

/** What the terminal shows of events, without times and colours. */
function shown(...events: readonly SiteEvent[]): string[] {
  const lines: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    lines.push(String(text).replace(/^\S+ /, '').trimEnd());
    return true;
  });
  const display = siteDisplay();
  for (const event of events) display(event);
  return lines;
}

describe('the terminal of a site', () => {
  it('says what to do next when the server ends the connection, and when it cannot be reached', () => {
    const retrying = { kind: 'retrying', inMs: 1500 } as const;
    const revoked = { code: 'revoked', message: 'The kit was revoked.', hint: 'Ask for another.' } as const;
    const version = wrongVersion({ protocols: [9], software: 'consilium 9' });
    const error = new ConnectError('Nobody listens.', { hint: 'Is the server running?' });
    expect(
      shown(
        ...[{ kind: 'disconnected', reason: revoked } as const, retrying],
        ...[{ kind: 'disconnected', reason: version } as const, retrying],
        ...[{ kind: 'unreachable', error } as const, retrying],
        ...[{ kind: 'disconnected', reason: { code: 'gone', message: 'It was reset.' } } as const, retrying],
      ),
    ).toEqual([
      'warning reconnecting in 1.5 s, because: The kit was revoked. Ask for another.',
      expect.stringMatching(/because: The server speaks version 1 .* Install the same release at both ends\.$/),
      'warning reconnecting in 1.5 s, because: Nobody listens. Is the server running?',
      'warning reconnecting in 1.5 s, because: It was reset.',
    ]);
  });
});
