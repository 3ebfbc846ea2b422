import { describe, expect, it } from 'vitest';
import { simProcess, simTime } from '../../test/support/sim/clock';
import type { SiteAnswer } from '../protocol/messages';
import type { BroadcastOptions } from '../protocol/sites';
import { memoryBlob } from './blobs';
import type { AskOptions, Outcome } from './hub-types';
import { remoteSites } from './remote-sites';

/** Sites that a test speaks for. */
function rig(names: readonly string[]) {
  const time = simTime();
  const asked = new Map<string, AskOptions & { end(outcome: Outcome): void }>();
  const sites = remoteSites({
    ...{ job: 'job', names, clock: simProcess(time).clock, prepare: () => memoryBlob([]) },
    hub: {
      turn() {},
      ask: (site, _, options) => new Promise((resolve) => asked.set(site, { ...options, end: resolve })),
    },
    read: () => Promise.reject(new Error('No answer is read here.')),
    discard: async () => {},
  });
  function broadcast(options: Partial<BroadcastOptions> = {}) {
    const answers: SiteAnswer[] = [];
    let ended = false;
    const { signal } = new AbortController();
    void (async () => {
      const task = { kind: 'train', round: 0, model: new Map() };
      const wait = { deadlineSeconds: 100, signal, ...options };
      for await (const answer of sites.broadcast(task, names, wait)) answers.push(answer);
      ended = true;
    })();
    const said = () => answers.map((answer) => [answer.site, answer.status, 'reason' in answer ? answer.reason : '']);
    return { said, ended: () => ended };
  }
  return { time, broadcast, site: (name: string) => asked.get(name)! };
}

const failed: Outcome = { status: 'failed', tag: 'SiteFailedError', message: 'no' };

describe('lost sites', () => {
  it('are late as soon as no other one is waited for', async () => {
    const { time, broadcast, site } = rig(['a', 'b', 'c']);
    const round = broadcast();
    await time.runFor(0);
    site('b').lost('out of touch for 600 s');
    await time.runFor(5);
    expect(round.said()).toEqual([]);
    site('a').end(failed);
    await time.runFor(5);
    expect(round.ended()).toBe(false);
    site('c').lost('out of touch for 700 s');
    await time.runFor(0);
    expect(round.said().slice(1)).toEqual([
      ['b', 'late', 'out of touch for 600 s'],
      ['c', 'late', 'out of touch for 700 s'],
    ]);
    expect(round.ended()).toBe(true);
    expect(site('b').signal.aborted).toBe(true);
  });

  it('that come back while others are waited for take part', async () => {
    const { time, broadcast, site } = rig(['a', 'b']);
    const round = broadcast();
    await time.runFor(0);
    site('b').lost('out of touch for 600 s');
    await time.runFor(0);
    site('b').lost(undefined);
    site('a').end(failed);
    await time.runFor(10);
    expect(round.ended()).toBe(false);
    site('b').end(failed);
    await time.runFor(0);
    expect(round.said().map(([name, status]) => [name, status])).toEqual([
      ['a', 'failed'],
      ['b', 'failed'],
    ]);
    expect(round.ended()).toBe(true);
  });

  it('are waited for until the deadline while the quorum depends on them', async () => {
    let enough = false;
    const { time, broadcast, site } = rig(['a', 'b']);
    const patient = broadcast({ mayGiveUp: () => enough });
    await time.runFor(0);
    for (const name of ['a', 'b']) site(name).lost('out of touch for 600 s');
    await time.runFor(99_000);
    expect(patient.ended()).toBe(false);
    await time.runFor(1000);
    expect(patient.said()).toEqual(['a', 'b'].map((name) => [name, 'late', 'out of touch for 600 s']));
    const next = broadcast({ mayGiveUp: () => enough });
    await time.runFor(0);
    site('a').lost('out of touch for 600 s');
    enough = true;
    site('b').end(failed);
    await time.runFor(0);
    expect(next.ended()).toBe(true);
  });
});
