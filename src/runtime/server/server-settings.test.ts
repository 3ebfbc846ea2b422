import { describe, expect, it } from 'vitest';
import { firstTexts } from '../provision/kit-text';
import { parseServerSettings, serverSettings } from './server-settings';

const parse = (text: string) => parseServerSettings(Buffer.from(text), 'server.yaml');

describe('server.yaml', () => {
  it('may be empty: everything has a default', () => {
    expect(parse('')).toEqual(serverSettings.parse({}));
    expect(parse('')).toMatchObject({
      heartbeatSeconds: 10,
      deadSeconds: 60,
      siteLostSeconds: 600,
      stallSeconds: 300,
      shutdownSeconds: 10,
    });
  });

  it('as a new kit has it can be read, and so can every setting in it, with the defaults it names', () => {
    const text = firstTexts['server.yaml']!;
    expect(parse(text)).toEqual(parse(''));
    const settings = text.split('\n').flatMap((line) => /^# (\w+: \S+) {2}/.exec(line)?.[1] ?? []);
    expect(settings.length).toBeGreaterThan(4);
    // The port has no default of its own: it is the kit's.
    expect(parse(settings.join('\n'))).toEqual({ ...parse(''), port: 8443 });
  });

  it.each([
    ['heartbeatSecond: 5', /heartbeatSecond.*Did you mean 'heartbeatSeconds'/s],
    ['maxJobs: 0', /maxJobs/],
    ['deadSeconds: .inf', /server.yaml:1:14: .inf is no finite number/],
    ['heartbeatSeconds: "10"', /heartbeatSeconds/],
    ['heartbeatSeconds: 60', /deadSeconds.*longer than heartbeatSeconds/s],
    ['port: 70000', /port/],
    ['allowCode: true', /allowCode/],
    ['- a list', /server.yaml/],
    ['__proto__: {polluted: 1}', /__proto__/],
  ])('refuses %s with the place', (text, message) => {
    expect(() => parse(text)).toThrow(message);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });
});
