import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { clientAuth, issueServer, serverAuth } from '../../../test/support/certificates';
import {
  afterTest,
  dial,
  failure,
  type Kit,
  kits,
  rig,
  stopping,
  tcpSocket,
  tlsSocket,
  until,
  upgraded,
} from '../../../test/support/websocket-rig';
import { maxFrameBytes } from '../../protocol/wire/frame';
import { nodeClock } from '../../util/clock';
import { sha256Of } from '../../util/sha256';
import { memoryBlob, memorySink } from '../blobs';
import { type Channel, type ChannelMessage, type ChannelOptions, dialChannel, openChannel } from '../channel';
import type { Identity } from '../connection';
import { websocketDialer } from './client';

const never = new AbortController().signal;

describe('a connection', () => {
  test('carries messages both ways, and each end knows whom it talks to', async () => {
    const { address, accepted } = await rig();
    const site = await dial(address);
    const message = Buffer.alloc(maxFrameBytes, 'x');
    site.connection.send([message.subarray(0, 1000), message.subarray(1000)]);
    await until(() => site.heard.length === 1);
    expect(Buffer.compare(site.heard[0]!, message)).toBe(0);
    expect(site.connection.peer).toMatchObject({ name: 'server', role: 'server' });
    expect(accepted[0]!.peer).toEqual({
      name: 'site-1',
      role: 'site',
      fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  test('that one end closes tells the other why, in its own words', async () => {
    const { address, accepted, closed } = await rig();
    const site = await dial(address);
    accepted[0]!.close({ code: 'revoked', message: `The roster no longer has you. ${'é'.repeat(100)}` });
    const reason = await site.closed;
    expect(reason.code).toBe('revoked');
    expect(reason.message).toMatch(/^The roster no longer has you. é+$/);
    const other = await dial(address);
    other.connection.close({ code: 'stopping', message: 'The site stops.' });
    await until(() => closed.length === 2);
    expect(closed[1]).toEqual({ code: 'stopping', message: 'The site stops.' });
  });

  test('that breaks off is gone at the other end', async () => {
    const { server, closed } = await rig();
    const socket = await tlsSocket(server.port);
    await upgraded(socket);
    socket.destroy();
    await until(() => closed.length === 1);
    expect(closed[0]!.code).toBe('gone');
  });

  test('beyond two of one site makes the oldest give way', async () => {
    const { server, address } = await rig();
    const sites = [await dial(address), await dial(address), await dial(address)];
    expect(await sites[0]!.closed).toMatchObject({ code: 'replaced' });
    expect(server.stats.connections).toBe(2);
    const other = await dial(address, await kits.project.issue({ names: ['site-2'] }));
    expect(server.stats.connections).toBe(3);
    other.connection.close(stopping);
    await until(() => server.stats.connections === 2);
  });

  test('is not waited for any longer once the caller gives up', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    afterTest(() => silent.close());
    await once(silent, 'listening');
    const stop = new AbortController();
    const { port } = silent.address() as { port: number };
    const dialer = websocketDialer({
      address: `wss://127.0.0.1:${port}`,
      credentials: { ...kits.site, ca: kits.project.ca },
    });
    const dialling = dialer.dial(() => ({ message() {}, closed() {} }), stop.signal);
    await once(silent, 'connection');
    stop.abort(new Error('not any more'));
    await expect(dialling).rejects.toThrow('not any more');
  });
});

test('channels carry messages and blobs both ways, and a fetch goes on after the connection was lost', async () => {
  const blob = memoryBlob([Buffer.alloc(30_000_000, 'a model ')]);
  const messages: ChannelMessage[] = [];
  const channels: Channel[] = [];
  const options: ChannelOptions = {
    clock: nodeClock,
    heartbeatMs: 1000,
    deadMs: 10_000,
    source: (sha256) => (sha256 === blob.ref.sha256 ? blob : undefined),
    message: (message) => messages.push(message),
    unreadable() {},
    closed() {},
  };
  const { address } = await rig({
    accept(connection) {
      const { channel, handler } = openChannel(connection, options);
      channels.push(channel);
      return handler;
    },
  });
  const dialer = websocketDialer({ address, credentials: { ...kits.site, ca: kits.project.ca } });
  const sink = memorySink(blob.ref.size);
  let site = await dialChannel(dialer, options, never);
  const cut = site.fetch(blob.ref, sink, never);
  await until(() => site.stats.bytesIn > 8_000_000);
  channels[0]!.close({ code: 'gone', message: 'cut' });
  await expect(cut).rejects.toThrow("The connection to 'server' ended: cut");

  site = await dialChannel(dialer, options, never);
  site.send({ type: 'cancel', id: 7 });
  const other = memorySink(blob.ref.size);
  await Promise.all([site.fetch(blob.ref, sink, never), channels[1]!.fetch(blob.ref, other, never)]);
  expect(sha256Of(sink.bytes())).toBe(blob.ref.sha256);
  expect(sha256Of(other.bytes())).toBe(blob.ref.sha256);
  expect(site.stats.bytesIn).toBeLessThan(23_000_000);
  expect(messages).toEqual([{ type: 'cancel', id: 7 }]);
  site.close(stopping);
});

describe('who may not connect is told why, and so is the log', () => {
  const refusals: [string, () => Promise<Kit>, RegExp][] = [
    [
      'another authority with the same names',
      () => kits.stranger.issue({}),
      /was not issued by the certificate authority/,
    ],
    ['a certificate out of date', () => kits.project.issue({ from: -60, to: -1 }), /is out of date/],
    ['a certificate of tomorrow', () => kits.project.issue({ from: 1, to: 60 }), /is not valid yet/],
    ["a server's certificate", () => issueServer(kits.project), /is not one for this end/],
    ['a certificate for nothing in particular', () => kits.project.issue({ usages: [] }), /is not one for this end/],
    ['two names', () => kits.project.issue({ names: ['site-1', 'site-2'] }), /one name.*\["site-1","site-2"\]/],
    ['no name', () => kits.project.issue({ names: [] }), /one name.*null/],
    ['a name of 65 letters', () => kits.project.issue({ names: ['a'.repeat(64)] }), /one name/],
    ['a path for a name', () => kits.project.issue({ names: ['../x'] }), /one name.*"..\/x"/],
    ['capitals', () => kits.project.issue({ names: ['Site-1'] }), /one name.*"Site-1"/],
    ['letters of other alphabets', () => kits.project.issue({ names: ['sitе-1'] }), /one name/],
    ['a line feed in the name', () => kits.project.issue({ names: ['site-1\nOU=admin'] }), /one name/],
    ['an unknown role', () => kits.project.issue({ units: ['root'] }), /one role.*"root"/],
    ['two roles', () => kits.project.issue({ units: ['site', 'admin'] }), /one role/],
    ['no role', () => kits.project.issue({ units: [] }), /one role.*null/],
  ];

  test.each(refusals)('%s', async (_, issue, expected) => {
    const { address, accepted, refused } = await rig();
    const error = await failure(dial(address, await issue()));
    expect(error.tag).toBe('RefusedError');
    expect(error.message).toMatch(/^The server at wss:\/\/127.0.0.1:\d+ refuses the connection: The certificate/);
    expect(error.message).toMatch(expected);
    expect(error.hint).not.toBe('');
    expect(refused).toHaveLength(1);
    expect(refused[0]).toMatchObject({ address: '127.0.0.1', reason: { code: 'not-allowed' } });
    expect(error.message).toContain(refused[0]!.reason.message);
    expect(accepted).toHaveLength(0);
  });

  test('no certificate', async () => {
    const { server, address, accepted } = await rig();
    const socket = new WebSocket(address, { ca: kits.project.ca, perMessageDeflate: false });
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }];
    expect(response.statusCode).toBe(403);
    socket.on('error', () => {}).terminate();
    expect(server.stats.refused).toBe(1);
    expect(accepted).toHaveLength(0);
  });

  test('a certificate that was good when its holder first came, and is out of date by now', async () => {
    const inAYear = { ...nodeClock, wallMs: () => nodeClock.wallMs() + 365 * 86_400_000 };
    const { address } = await rig({ clock: inAYear });
    expect((await failure(dial(address))).message).toContain('The certificate that was shown is out of date.');
  });

  test('an identity that the roster does not have, in the words of the roster', async () => {
    const seen: Identity[] = [];
    const { address, refused } = await rig({
      admit(identity) {
        seen.push(identity);
        return { code: 'revoked', message: "'site-1' was taken off the roster.", hint: 'Ask the administrator.' };
      },
    });
    const error = await failure(dial(address));
    expect(error).toMatchObject({ tag: 'RefusedError', hint: 'Ask the administrator.' });
    expect(error.message).toContain("'site-1' was taken off the roster.");
    expect(refused[0]!.identity).toEqual(seen[0]);
  });
});

describe('what stands in the way is said in plain words', () => {
  test('nothing listens', async () => {
    const { server, address } = await rig();
    await server.close(stopping);
    const error = await failure(dial(address));
    expect(error).toMatchObject({ tag: 'ConnectError', message: expect.stringContaining('nothing listens there') });
    expect(error.hint).toContain('Is the server running');
  });

  test('the name is not known', async () => {
    const error = await failure(dial('wss://no-such-host.invalid:8443'));
    expect(error.message).toMatch(/its name is not known|no name server answers/);
  });

  test('the server is of another project', async () => {
    const { address, refused } = await rig({
      credentials: { ...(await issueServer(kits.stranger)), ca: kits.project.ca },
    });
    const error = await failure(dial(address));
    expect(error.message).toContain('its certificate was not issued by the certificate authority of this project');
    await until(() => refused.length === 1);
    expect(refused[0]).toMatchObject({
      address: '127.0.0.1',
      reason: { message: expect.stringContaining('did not accept') },
    });
  });

  test.each([
    ['out of date', { from: -60, to: -1 }, 'its certificate is out of date', 'clock'],
    ['of tomorrow', { from: 1, to: 60 }, 'its certificate is not valid yet', 'clock'],
    ['for another host', { hosts: ['elsewhere.example'] }, 'for other names than this address', 'provision'],
    ["a site's", { usages: [clientAuth] }, 'is not one for this end', 'kit of a server'],
    [
      'of the wrong role',
      { units: ['site'], usages: [serverAuth, clientAuth] },
      'not that of a server',
      'kit of a server',
    ],
  ])("the server's certificate is %s", async (_, fields, message, hint) => {
    const { address } = await rig({
      credentials: { ...(await issueServer(kits.project, fields)), ca: kits.project.ca },
    });
    const error = await failure(dial(address));
    expect(error).toMatchObject({ tag: 'ConnectError', message: expect.stringContaining(message) });
    expect(error.hint).toContain(hint);
  });

  test('nobody answers', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    afterTest(() => silent.close());
    await once(silent, 'listening');
    const address = `wss://127.0.0.1:${(silent.address() as { port: number }).port}`;
    const dialer = websocketDialer({ address, credentials: { ...kits.site, ca: kits.project.ca }, handshakeMs: 200 });
    const error = await failure(dialer.dial(() => ({ message() {}, closed() {} }), new AbortController().signal));
    expect(error.message).toContain('it does not answer in time');
    expect(error.hint).toContain('firewall');
  });

  test('the server has too much to do', async () => {
    const { address } = await rig({ limits: { unauthenticated: 0 } });
    const error = await failure(dial(address));
    expect(error.message).toContain('it closed the connection before it was made');
    expect(error.hint).toContain('the next try may succeed');
  });

  test('something else listens there', async () => {
    const other = createServer((socket) => socket.end('220 mail.example ESMTP\r\n')).listen(0, '127.0.0.1');
    afterTest(() => other.close());
    await once(other, 'listening');
    const error = await failure(dial(`wss://127.0.0.1:${(other.address() as { port: number }).port}`));
    expect(error.message).toMatch(/it does not speak TLS/);
  });

  test('who only looks whether the port is open is nothing to speak of', async () => {
    const { server, refused, address } = await rig();
    (await tcpSocket(server.port)).destroy();
    await until(() => server.stats.unauthenticated === 0);
    await dial(address);
    expect(refused).toEqual([]);
  });

  test('the port is taken', async () => {
    const { server } = await rig();
    const error = await failure(rig({ port: server.port }));
    expect(error).toMatchObject({ tag: 'ConnectError', message: expect.stringContaining('the port is taken') });
    expect(error.hint).toContain('Is a server running already?');
  });

  test('a key that does not belong to its certificate', async () => {
    const error = await failure(dial('wss://127.0.0.1:1', { cert: kits.site.cert, key: kits.server.key }));
    expect(error.message).toContain('do not belong together');
  });

  test('an address without TLS', async () => {
    expect((await failure(dial('ws://127.0.0.1:1'))).message).toContain('wss://host:port');
  });
});
