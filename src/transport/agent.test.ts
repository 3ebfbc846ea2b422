import { beforeEach, describe, expect, it } from 'vitest';
import { serverIdentity, siteIdentity } from '../../test/support/channel-rig';
import { type SimProcess, type SimTime, simProcess, simTime } from '../../test/support/sim/clock';
import { type SimNetwork, simNetwork } from '../../test/support/sim/network';
import { stream } from '../util/streams';
import { runAgent } from './agent';
import type { AgentEvent, SiteJobs } from './agent-types';
import { createHub } from './hub';
import type { Hub, HubEvent } from './hub-types';

let time: SimTime;
let network: SimNetwork;
let hub: Hub;
let told: HubEvent[];

beforeEach(() => {
  time = simTime();
  const chance = stream(1, 'network');
  network = simNetwork(time, () => chance.random());
  const server = simProcess(time);
  told = [];
  hub = createHub({
    clock: server.clock,
    times: { heartbeatMs: 10_000, deadMs: 60_000, siteLostMs: 60_000, helloMs: 10_000 },
    software: 'test',
    newSession: () => 'session',
    ended: () => undefined,
    on: (event) => told.push(event),
    unreadable: () => {},
  });
  network.listen(server, serverIdentity, hub.connect);
});

const noJobs: SiteJobs = {
  states: () => [],
  source: () => undefined,
  offered: () => Promise.reject(new Error('No job is offered here.')),
  run: () => Promise.reject(new Error('No task is given here.')),
  answered: async () => {},
  ended: async () => {},
};

/** A process of site-1. */
function startAgent(boot: string): { readonly process: SimProcess; readonly heard: AgentEvent[]; stop(): void } {
  const process = simProcess(time);
  const chance = stream(2, boot);
  const heard: AgentEvent[] = [];
  const stop = new AbortController();
  const running = runAgent({
    clock: process.clock,
    dialer: network.dialer(process, siteIdentity),
    random: () => chance.random(),
    ...{ software: 'test', boot, resources: { slots: 1, memoryMb: 1, gpus: 0 }, jobs: noJobs },
    times: { heartbeatMs: 10_000, deadMs: 60_000, welcomeMs: 10_000, reconnectMinMs: 1000, reconnectMaxMs: 30_000 },
    on: (event) => heard.push(event),
    signal: stop.signal,
  });
  running.catch((error) => {
    throw error; // What is wrong in the program fails the test.
  });
  return { process, heard, stop: () => stop.abort() };
}

const pauses = (heard: readonly AgentEvent[]) => heard.flatMap((one) => (one.kind === 'retrying' ? [one.inMs] : []));
const kinds = () => told.splice(0).map(({ kind }) => kind);

describe('two processes of one site', () => {
  it('take over from each other less and less often, are told why, and so is the server', async () => {
    const [one, other] = [startAgent('one'), startAgent('other')];
    await time.runFor(3600_000);
    for (const { heard } of [one, other]) {
      const all = pauses(heard);
      expect(all.slice(0, 4).every((ms, i) => i === 0 || ms > all[i - 1]!)).toBe(true);
      expect(Math.min(...all.slice(6))).toBeGreaterThanOrEqual(15_000);
      expect(heard).toContainEqual({
        kind: 'disconnected',
        reason: {
          code: 'replaced',
          message: 'The same site has connected anew.',
          hint: 'If nobody did that on purpose, the same startup kit is in use twice: stop one of the two.',
        },
      });
    }
    const replaced = told.filter(({ kind }) => kind === 'site-replaced');
    expect(replaced).toContainEqual({ kind: 'site-replaced', site: 'site-1' });
    expect(replaced.length).toBeGreaterThan(3600 / 31);
    expect(replaced.length).toBeLessThan(3600 / 15 + 20);

    other.stop();
    await time.runFor(31_000);
    expect(hub.status('site-1').connected).toBe(true);
    const before = pauses(one.heard).length;
    await time.runFor(3600_000);
    expect(pauses(one.heard)).toHaveLength(before);
  });

  it('follow one another at once when the site was restarted, however the one before ended', async () => {
    const one = startAgent('one');
    await time.runFor(1000);
    one.process.freeze();
    startAgent('other');
    await time.runFor(10);
    expect(kinds()).toEqual(['site-joined', 'site-replaced', 'site-joined']);
    expect(hub.status('site-1').connected).toBe(true);
  });
});

describe('one process of a site', () => {
  it('waits for the shortest pause when it was replaced after it had been well for long', async () => {
    const one = startAgent('one');
    await time.runFor(600_000);
    startAgent('other');
    await time.run(() => pauses(one.heard).length > 0);
    expect(pauses(one.heard)[0]).toBeLessThanOrEqual(1000);
  });
});
