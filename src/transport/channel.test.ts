import { describe, expect, test } from 'vitest';
import {
  connect,
  given,
  MiB,
  network,
  never,
  offer,
  server,
  site,
  siteIdentity,
  someBlob,
  task,
  time,
} from '../../test/support/channel-rig';
import { ProtocolError } from '../errors';
import { decodeFrame } from '../protocol/wire/frame';
import { sha256Of } from '../util/sha256';
import { memorySink } from './blobs';

describe('messages', () => {
  test('arrive in order, in both directions', async () => {
    await connect();
    for (let i = 0; i < 50; i++) {
      site.channel.send(task(i));
      server.channel.send(task(100 + i));
    }
    await time.runFor(100);
    expect(server.heard).toEqual(Array.from({ length: 50 }, (_, i) => task(i)));
    expect(site.heard).toEqual(Array.from({ length: 50 }, (_, i) => task(100 + i)));
    expect(server.channel.peer).toBe(siteIdentity);
  });

  test('of an idle hour cost only beats, and nobody is taken for dead', async () => {
    network.link('site-1').faults.delayMs = 200;
    network.link('site-1').faults.jitterMs = 100;
    await connect();
    await time.runFor(3600_000);
    expect(server.channel.open && site.channel.open).toBe(true);
    expect(server.channel.stats.framesIn).toBeGreaterThan(3500);
    expect(server.channel.stats.framesIn).toBeLessThan(3600 * 1.5);
  });

  test('no beats are sent while messages are', async () => {
    await connect();
    for (let i = 0; i < 200; i++) {
      site.channel.send(task(i));
      await time.runFor(100);
    }
    expect(site.channel.stats.framesOut).toBe(200);
  });

  test('nobody is told twice that a channel closed, and a closed one sends nothing', async () => {
    await connect();
    site.channel.close({ code: 'stopping', message: 'The site stops.', hint: 'Start it again.' });
    expect(site.closed).toHaveLength(1);
    site.channel.send(task(1));
    site.channel.close({ code: 'gone', message: 'again' });
    await time.runFor(10_000);
    expect(server.heard).toEqual([]);
    expect(server.closed).toEqual([{ code: 'stopping', message: 'The site stops.', hint: 'Start it again.' }]);
    expect(site.closed).toHaveLength(1);
    expect(network.link('site-1').connections).toBe(0);
  });

  test('a handler that throws closes the channel; the other end is told what is meant for it', async () => {
    given.both = {
      ...given.both,
      message() {
        throw new ProtocolError('Nobody asked for that.', { hint: 'Ask first.' });
      },
    };
    await connect();
    site.channel.send(task(1));
    await time.runFor(100);
    expect(site.closed).toEqual([{ code: 'protocol', message: 'Nobody asked for that.', hint: 'Ask first.' }]);
    expect(server.causes[0]).toBeInstanceOf(ProtocolError);
  });

  test('of a bug in a handler the other end learns nothing', async () => {
    given.server = {
      message() {
        throw new TypeError('cannot read /data/patient-7');
      },
    };
    await connect();
    site.channel.send(task(1));
    await time.runFor(100);
    expect(site.closed[0]).toEqual({ code: 'protocol', message: 'A message could not be handled, by an error here.' });
    expect(server.causes[0]).toBeInstanceOf(TypeError);
  });
});

describe('the first message', () => {
  const opening = { expect: 'hello', withinMs: 10_000 } as const;

  test('must be the one that is expected', async () => {
    given.server = { opening };
    await connect();
    site.channel.send(task(1));
    await time.runFor(100);
    expect(site.closed).toEqual([{ code: 'protocol', message: "A 'hello' was to come first, and a 'cancel' came." }]);
    expect(server.heard).toEqual([]);
  });

  test('a blob cannot be asked for before it', async () => {
    given.server = { opening };
    await connect();
    const { ref } = offer(server, 10);
    await expect(time.settle(site.channel.fetch(ref, memorySink(10), never))).rejects.toThrow(
      "'hello' was to come first",
    );
  });

  test('must come in time, and beats do not count', async () => {
    given.server = { opening };
    await connect();
    await time.runFor(9_990);
    expect(server.channel.open).toBe(true);
    await time.runFor(100);
    expect(site.closed).toEqual([{ code: 'protocol', message: "No 'hello' came from 'site-1' within 10 s." }]);
  });

  test('is waited for longer when the server itself could not run', async () => {
    given.server = { opening };
    await connect();
    await time.runFor(9_000);
    server.process.block(4_000);
    await time.runFor(3_000);
    site.channel.send({ type: 'hello', protocols: [1], software: 'x', boot: 'b' });
    await time.runFor(20_000);
    expect(server.channel.open).toBe(true);
    expect(server.heard).toHaveLength(1);
  });
});

describe('what a network may do', () => {
  const closing = async (disturb: () => void, ms = 2_000) => {
    await connect();
    await time.runFor(2_500);
    disturb();
    const before = time.nowMs;
    await time.run(() => !server.channel.open && !site.channel.open, ms);
    return time.nowMs - before;
  };

  test('one lost frame is noticed with the next one or with a beat', async () => {
    await closing(() => {
      network.link('site-1').dropNext('to-server');
      site.channel.send(task(1));
    });
    expect(server.closed[0]).toMatchObject({
      code: 'protocol',
      message: expect.stringMatching(/^Frame \d+ from 'site-1'/),
    });
    expect(server.heard).toEqual([]);
  });

  test.each(['to-server', 'to-client'] as const)('a lost beat %s is noticed with the next one', async (direction) => {
    const tookMs = await closing(() => network.link('site-1').dropNext(direction), 3_000);
    expect(tookMs).toBeGreaterThan(500);
    expect(site.closed[0]).toMatchObject({ code: 'protocol' });
  });

  test.each([
    ['want', 'to-server'],
    ['chunk', 'to-client'],
    ['got', 'to-server'],
    ['no-blob', 'to-client'],
    ['unwant', 'to-server'],
  ] as const)(
    'a lost %s does not leave a fetch waiting: it ends, and goes on with the next connection',
    async (type, way) => {
      await connect();
      const { ref } = offer(server, 6 * MiB);
      const picks = (bytes: Uint8Array) => decodeFrame(bytes).message.type === type;
      network.link('site-1').dropNext(way, picks);
      if (type === 'no-blob') server.blobs.clear();
      const sink = memorySink(ref.size);
      const stop = new AbortController();
      const fetching = site.channel.fetch(ref, sink, stop.signal);
      fetching.catch(() => {});
      await time.runFor(1);
      if (type === 'unwant') stop.abort(new Error('ended'));
      await expect(time.settle(fetching, 3_000)).rejects.toThrow('ended');
      await time.run(() => !server.channel.open, 3_000);
      server.blobs.set(ref.sha256, someBlob(ref.size));
      await connect();
      await time.settle(site.channel.fetch(ref, sink, never));
      expect(sha256Of(sink.bytes())).toBe(ref.sha256);
    },
  );

  test('doubled frames are dropped and counted', async () => {
    network.link('site-1').faults.duplicate = 1;
    await connect();
    const { ref } = offer(server, 3 * MiB);
    const sink = memorySink(ref.size);
    for (let i = 0; i < 20; i++) site.channel.send(task(i));
    await time.settle(site.channel.fetch(ref, sink, never));
    await time.runFor(1_000);
    expect(server.heard).toEqual(Array.from({ length: 20 }, (_, i) => task(i)));
    expect(sha256Of(sink.bytes())).toBe(ref.sha256);
    expect(server.channel.stats.duplicates).toBe(server.channel.stats.framesIn);
    expect(server.channel.open && site.channel.open).toBe(true);
  });

  test('frames out of order close the channel; what was heard is the beginning of what was said', async () => {
    await connect();
    for (let i = 0; i < 100; i++) {
      if (i === 10) network.link('site-1').faults.reorder = 0.2;
      site.channel.send(task(i));
    }
    await time.runFor(3_000);
    expect(server.closed[0]).toMatchObject({ code: 'protocol' });
    expect(server.heard.length).toBeGreaterThanOrEqual(10);
    expect(server.heard).toEqual(Array.from({ length: server.heard.length }, (_, i) => task(i)));
  });

  test('a reset connection is heard of at once', async () => {
    expect(await closing(() => network.link('site-1').cut(), 10)).toBeLessThan(10);
    expect(server.closed[0]).toMatchObject({ code: 'gone' });
  });

  test('silence of a dead connection is noticed after the time for it, at both ends', async () => {
    const tookMs = await closing(() => network.link('site-1').halfOpen(), 10_000);
    expect(tookMs).toBeGreaterThan(3_900);
    expect(tookMs).toBeLessThan(6_000);
    expect(server.closed[0]).toMatchObject({ code: 'silent', message: "Nothing came from 'site-1' for 5 s." });
    expect(site.closed[0]).toMatchObject({ code: 'silent', message: "Nothing came from 'server' for 5 s." });
  });

  test.each(['to-server', 'to-client'] as const)('loss %s only is noticed by both ends', async (direction) => {
    await closing(() => network.link('site-1').faults.lost.add(direction), 12_000);
    expect(server.channel.open || site.channel.open).toBe(false);
  });

  test('a hole shorter than the time for it changes nothing', async () => {
    await connect();
    const { lost } = network.link('site-1').faults;
    lost.add('to-server').add('to-client');
    site.channel.send(task(1));
    await time.runFor(3_500);
    lost.clear();
    await time.runFor(10_000);
    expect(server.channel.open && site.channel.open).toBe(true);
    expect(server.heard).toEqual([task(1)]);
  });
});
