import { beforeEach, describe, expect, test } from 'vitest';
import type { CloseReason, Connection, Identity } from '../../../src/transport/connection';
import { stream } from '../../../src/util/streams';
import { type SimProcess, type SimTime, simProcess, simTime } from './clock';
import { type SimNetwork, simNetwork } from './network';

const never = new AbortController().signal;
const server: Identity = { name: 'server', role: 'server', fingerprint: '00' };
const site: Identity = { name: 'site-1', role: 'site', fingerprint: '11' };

describe('virtual time', () => {
  test('events happen in the order of their times, then of their planning, and promises settle between them', async () => {
    const time = simTime();
    const log: string[] = [];
    for (const [name, atMs] of [
      ['b', 20],
      ['a', 10],
      ['c', 20],
    ] as const) {
      time.at(atMs, () => {
        log.push(`${name}@${time.nowMs}`);
        void Promise.resolve()
          .then(() => Promise.resolve())
          .then(() => log.push(`after ${name}`));
      });
    }
    const takeBack = time.at(15, () => log.push('taken back'));
    takeBack();
    await time.runFor(100);
    expect(log).toEqual(['a@10', 'after a', 'b@20', 'after b', 'c@20', 'after c']);
    expect(time.nowMs).toBe(100);
  });

  test('ten thousand events in any order of planning come in order', async () => {
    const time = simTime();
    const chance = stream(1, 'times');
    const seen: number[] = [];
    for (let i = 0; i < 10_000; i++) time.at(Math.floor(chance.random() * 500), () => seen.push(time.nowMs));
    await time.runFor(1000);
    expect(seen).toHaveLength(10_000);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  });

  test('waiting for what cannot happen is an error', async () => {
    const time = simTime();
    await expect(time.run(() => false)).rejects.toThrow('Nothing is left to happen');
    const again = () => void time.at(time.nowMs + 1, again);
    again();
    await expect(time.run(() => false, 50)).rejects.toThrow('not done after 50 ms');
  });

  test('a blocked process runs its timers late, then reads; a killed one does nothing', async () => {
    const time = simTime();
    const process = simProcess(time);
    const log: string[] = [];
    process.block(100);
    process.deliver(() => log.push(`message ${Math.round(time.nowMs)}`));
    process.clock.after(50, () => log.push(`timer ${time.nowMs}`));
    process.clock.after(150, () => log.push('never'));
    await time.runFor(120);
    expect(log).toEqual(['timer 100', 'message 100']);
    process.kill();
    await time.runFor(1000);
    expect(log).toHaveLength(2);
  });
});

describe('a network', () => {
  let time: SimTime;
  let network: SimNetwork;
  let processes: { server: SimProcess; site: SimProcess };
  let log: string[];
  let accepted: Connection[];

  function start(seed: number): void {
    time = simTime();
    const chance = stream(seed, 'network');
    network = simNetwork(time, () => chance.random());
    processes = { server: simProcess(time), site: simProcess(time) };
    log = [];
    accepted = [];
    network.listen(processes.server, server, (connection) => {
      accepted.push(connection);
      return handler('server');
    });
  }

  beforeEach(() => start(1));

  function handler(who: string) {
    return {
      message: (bytes: Uint8Array) => void log.push(`${who} ${time.nowMs.toFixed(1)} ${Buffer.from(bytes)}`),
      closed: ({ code }: CloseReason) => void log.push(`${who} closed ${code}`),
    };
  }

  const dial = () => time.settle(network.dialer(processes.site, site).dial(() => handler('site'), never));
  const send = (connection: Connection, text: string) => connection.send([Buffer.from(text)]);

  test('with all its faults does the same again for the same seed, and something else for another', async () => {
    const run = async (seed: number) => {
      start(seed);
      const connection = await dial();
      Object.assign(network.link('site-1').faults, {
        jitterMs: 20,
        duplicate: 0.1,
        drop: 0.1,
        reorder: 0.2,
        flip: 0.1,
        bytesPerSecond: 10_000,
      }); // prettier-ignore
      for (let i = 0; i < 100; i++) send(connection, `message ${i}`);
      await time.runFor(10_000);
      return log.join('\n');
    };
    const first = await run(7);
    expect(await run(7)).toBe(first);
    expect(await run(8)).not.toBe(first);
    expect(first.split('\n').length).toBeGreaterThan(80);
  });

  test('delivers in order whatever the jitter, and as fast as it carries bytes', async () => {
    const connection = await dial();
    Object.assign(network.link('site-1').faults, { jitterMs: 50, bytesPerSecond: 1000 });
    for (let i = 0; i < 20; i++) send(connection, String(i).padStart(100, '0'));
    const begin = time.nowMs;
    await time.run(() => log.length === 20);
    expect(log.map((line) => Number(line.split(' ')[2]))).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(time.nowMs - begin).toBeGreaterThan(2000);
    expect(time.nowMs - begin).toBeLessThan(2100);
  });

  test('drops exactly the message that is picked', async () => {
    const connection = await dial();
    network.link('site-1').dropNext('to-server', (bytes) => bytes[0] === 'b'.charCodeAt(0));
    for (const text of ['a', 'b', 'c', 'b']) send(connection, text);
    await time.runFor(100);
    expect(log.map((line) => line.at(-1)).join('')).toBe('acb');
  });

  test('without a way holds what is sent until there is one, and fills the buffer that the sender sees', async () => {
    const connection = await dial();
    const { lost } = network.link('site-1').faults;
    lost.add('to-server');
    for (let i = 0; i < 3; i++) connection.send([Buffer.alloc(1 << 20)]);
    send(accepted[0]!, 'the other way');
    await time.runFor(1000);
    expect(log).toEqual([expect.stringMatching(/^site .* the other way$/)]);
    expect(connection.bufferedBytes).toBe(2 << 20);
    lost.clear();
    await time.runFor(1000);
    expect(log).toHaveLength(4);
    expect(connection.bufferedBytes).toBe(0);
  });

  test('closes connections of a killed process at the other end, and a half-open one at none', async () => {
    await dial();
    network.link('site-1').halfOpen();
    await dial();
    processes.server.kill();
    await time.runFor(100_000);
    expect(log).toEqual(['site closed gone']);
    await expect(dial()).rejects.toThrow('The server refuses connections');
  });

  test('gets no answer from a frozen server, and one when it runs again', async () => {
    processes.server.freeze();
    await expect(dial()).rejects.toThrow('The server does not answer within 10 s.');
    const dialling = dial();
    time.at(time.nowMs + 5000, () => processes.server.thaw());
    await dialling;
    expect(accepted).toHaveLength(1);
  });

  test('that is paused keeps order', async () => {
    const connection = await dial();
    accepted[0]!.pause();
    for (let i = 0; i < 5; i++) send(connection, `${i}`);
    await time.runFor(50);
    expect(log).toEqual([]);
    accepted[0]!.resume();
    send(connection, '5');
    await time.runFor(50);
    expect(log.map((line) => line.at(-1)).join('')).toBe('012345');
  });
});
