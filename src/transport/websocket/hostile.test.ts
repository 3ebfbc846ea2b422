import { once } from 'node:events';
import { connect as tcpConnect } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import {
  afterTest,
  dial,
  expectUnharmed,
  frame,
  kits,
  lengthOf,
  rig,
  tcpSocket,
  textUntilClosed,
  tlsSocket,
  until,
  upgraded,
} from '../../../test/support/websocket-rig';
import { maxFrameBytes } from '../../protocol/wire/frame';
import { nodeClock } from '../../util/clock';

describe('hostile input costs a bounded amount, and honest sites go on', () => {
  test('TLS 1.2', async () => {
    const { server, address, refused } = await rig();
    const socket = tlsConnect({
      port: server.port,
      host: '127.0.0.1',
      ca: kits.project.ca,
      ...kits.site,
      maxVersion: 'TLSv1.2',
    });
    const [error] = (await once(socket, 'error')) as [Error & { code: string }];
    expect(error.code).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
    await until(() => refused.length === 1);
    expect(refused[0]).toMatchObject({ address: '127.0.0.1', reason: { message: expect.stringContaining('TLS 1.3') } });
    await expectUnharmed(address);
  });

  test.each([
    ['HTTP without TLS', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', /HTTP without TLS/],
    ['random bytes', Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919) % 251)), /is not TLS/],
  ])('%s', async (_, bytes, expected) => {
    const { server, address, refused } = await rig();
    const socket = await tcpSocket(server.port);
    socket.write(bytes);
    expect(await textUntilClosed(socket)).not.toContain('HTTP/1.1 200');
    await until(() => refused.length === 1);
    expect(refused[0]!.reason.message).toMatch(expected);
    await expectUnharmed(address);
  });

  test('a plain websocket at the port', async () => {
    const { server, address } = await rig();
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}`);
    await once(socket, 'error');
    await expectUnharmed(address);
  });

  test('HTTP within TLS gets nothing useful, with or without a certificate', async () => {
    const { server } = await rig();
    for (const kit of [kits.site, {}]) {
      const socket = await tlsSocket(server.port, kit);
      socket.write('GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n');
      const text = await textUntilClosed(socket);
      expect(text).toMatch(/^HTTP\/1.1 404 Not Found\r\n/);
      expect(text.split('\r\n\r\n')[1]).toMatch(/^(0)?$/);
    }
  });

  test('headers that never end are cut off in time', async () => {
    const { server, address, refused } = await rig({ limits: { handshakeMs: 500, handshakesPerSecond: 1000 } });
    const socket = await tlsSocket(server.port);
    const started = nodeClock.monotonicMs();
    const drip = setInterval(() => socket.write('x-a: b\r\n'), 50);
    afterTest(() => clearInterval(drip));
    socket.write('GET / HTTP/1.1\r\n');
    await once(socket, 'close');
    expect(nodeClock.monotonicMs() - started).toBeLessThan(5000);
    expect(refused[0]).toMatchObject({ address: '127.0.0.1', reason: { message: expect.stringContaining('in time') } });
    await expectUnharmed(address);
  });

  test('a socket that says nothing at all is cut off in time', async () => {
    const { server, refused } = await rig({ limits: { handshakeMs: 300 } });
    const socket = await tcpSocket(server.port);
    expect(await textUntilClosed(socket)).toBe('');
    await until(() => refused.length === 1 && server.stats.unauthenticated === 0);
  });

  test('2,000 headers', async () => {
    const { server, address, refused } = await rig();
    const socket = await tlsSocket(server.port);
    socket.write(`GET / HTTP/1.1\r\n${'x-header: value\r\n'.repeat(2000)}\r\n`);
    expect(await textUntilClosed(socket)).not.toContain('HTTP/1.1 200');
    expect(refused[0]!.reason.message).toContain('HPE_HEADER_OVERFLOW');
    await expectUnharmed(address);
  });

  test.each<[string, () => Buffer]>([
    ['a message that is too long', () => frame(2, Buffer.alloc(maxFrameBytes + 1))],
    ['a message that claims 1 GiB', () => Buffer.concat([lengthOf(2, 2 ** 30), Buffer.alloc(1000)])],
    ['a compressed message', () => frame(2, Buffer.alloc(10), { compressed: true })],
    ['text', () => frame(1, Buffer.from('hello'))],
    ['a ping', () => frame(9, Buffer.alloc(0))],
    ['no mask', () => Buffer.from([0x82, 1, 0])],
  ])('%s ends that connection, with a reason', async (_, bytes) => {
    const { server, address, closed, accepted } = await rig();
    const socket = await tlsSocket(server.port);
    await upgraded(socket);
    socket.write(bytes());
    await until(() => closed.length === 1);
    expect(closed[0]!.code).toBe('protocol');
    expect(accepted).toHaveLength(1);
    await expectUnharmed(address);
  });

  test('200,000 fragments of one byte cost little memory, and end the connection', async () => {
    const { server, address, closed } = await rig();
    const socket = await tlsSocket(server.port);
    await upgraded(socket);
    const before = process.memoryUsage().rss;
    const fragments = Buffer.concat([
      frame(2, Buffer.alloc(1), { more: true }),
      ...Array.from({ length: 200_000 }, () => frame(0, Buffer.alloc(1), { more: true })),
    ]);
    socket.write(fragments);
    await until(() => closed.length === 1);
    expect(closed[0]).toMatchObject({
      code: 'protocol',
      message: expect.stringContaining('Too many message fragments'),
    });
    expect(process.memoryUsage().rss - before).toBeLessThan(100e6);
    await expectUnharmed(address);
  });

  test('an end that never reads fills a buffer that its channel can see, and is closed without waiting for it', async () => {
    const { server, address, accepted, closed } = await rig();
    const socket = await tlsSocket(server.port);
    await upgraded(socket);
    socket.pause();
    await until(() => accepted.length === 1);
    const chunk = Buffer.alloc(1 << 18);
    while (accepted[0]!.bufferedBytes < 20 << 20) accepted[0]!.send([chunk]);
    accepted[0]!.close({ code: 'too-slow', message: 'It does not read.' });
    await until(() => closed.length === 1);
    expect(closed[0]!.code).toBe('too-slow');
    expect(accepted[0]!.bufferedBytes).toBe(0);
    await expectUnharmed(address);
  });

  test('sockets without a name are few, whatever their number', async () => {
    const { server, address } = await rig({ limits: { unauthenticated: 20, handshakesPerSecond: 10_000 } });
    const sockets = await Promise.all(Array.from({ length: 200 }, () => tcpSocket(server.port)));
    await until(() => server.stats.turnedAway >= 180);
    expect(server.stats.unauthenticated).toBeLessThanOrEqual(20);
    for (const socket of sockets) socket.destroy();
    await until(() => server.stats.unauthenticated === 0);
    await expectUnharmed(address);
  });

  test('a storm of connections is turned away at the door, and sites that are connected do not feel it', async () => {
    const { server, address } = await rig({ limits: { handshakesPerSecond: 20 } });
    const site = await dial(address);
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 40; i++) {
      const sockets = Array.from({ length: 50 }, () => tcpConnect({ port: server.port, host: '127.0.0.1' }));
      for (const socket of sockets) socket.on('error', () => {});
      await Promise.all(sockets.map((socket) => once(socket, 'connect').catch(() => {})));
      for (const socket of sockets) socket.destroy();
      site.connection.send([Buffer.from([i])]);
    }
    await until(() => site.heard.length === 40);
    expect(server.stats.turnedAway).toBeGreaterThan(1000);
    expect(process.memoryUsage().rss - before).toBeLessThan(100e6);
  });

  test('a server that closes ends everything that is open, and nothing is left', async () => {
    const { server, address } = await rig();
    const site = await dial(address);
    await tcpSocket(server.port);
    await tlsSocket(server.port, {});
    await server.close({ code: 'stopping', message: 'The server stops.' });
    expect(await site.closed).toEqual({ code: 'stopping', message: 'The server stops.' });
    expect(server.stats).toMatchObject({ connections: 0, unauthenticated: 0 });
  });
});
