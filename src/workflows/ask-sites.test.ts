import { describe, expect, it, vi } from 'vitest';
import { modelOf, numbersOf, partsOf, siteOf } from '../../test/support/workflow-rig';
import { weightedMean } from '../aggregators/weighted-mean';
import { DataError, errorToData } from '../errors';
import type { SiteAnswer, Task, Update } from '../protocol/messages';
import type { Sites } from '../protocol/sites';
import type { SiteLink } from '../transport/in-memory';
import type { Clock } from '../util/clock';
import { askSites, requireQuorum } from './ask-sites';
import type { Participation, RoundJournal } from './workflow';

const task: Task = { kind: 'train', round: 3, model: modelOf(1, 2) };
const prompt = (name: string, value = 1) =>
  siteOf(name, () => ({ kind: 'weight-diff', tensors: modelOf(value, value), steps: 1 }));
const silent = (name: string): SiteLink => ({ name, run: () => new Promise(() => {}) });

/** A clock whose timers fire when the test says so. */
function handClock() {
  const timers = new Map<() => void, number>();
  const clock: Clock = {
    monotonicMs: () => 0,
    wallMs: () => 0,
    after(ms, act) {
      timers.set(act, ms);
      return () => timers.delete(act);
    },
  };
  const fire = () => {
    for (const act of [...timers.keys()]) act();
  };
  return { clock, timers, fire };
}

const statuses = (sites: readonly Participation[]) => sites.map(({ site, status }) => `${site} ${status}`);

describe('asking the sites', () => {
  it('waits for stragglers only as long as grace says, once enough have answered', async () => {
    const { clock, timers, fire } = handClock();
    const parts = partsOf([prompt('a'), silent('b'), prompt('c')], { clock });
    const asked = askSites(task, parts, { minSites: 2, roundDeadlineSeconds: 60, graceSeconds: 7 });
    await vi.waitFor(() => expect([...timers.values()]).toEqual([7000]));
    fire();
    const sites = await asked;
    expect(statuses(sites)).toEqual(['a ok', 'b late', 'c ok']);
    expect(sites[1]!.reason).toBe('no answer within 7 s after 2 sites had answered');
    expect(timers.size).toBe(0);
  });

  it('asks those that were late again, as often as the job says, when there are too few', async () => {
    const attempts: string[] = [];
    const slowAtFirst: SiteLink = {
      name: 'slow',
      run: async (asked, signal) => {
        attempts.push('slow');
        if (attempts.length < 3) return new Promise(() => {});
        return prompt('slow').run(asked, signal);
      },
    };
    const parts = partsOf([prompt('quick'), slowAtFirst]);
    const options = { minSites: 2, roundDeadlineSeconds: 0.02 };
    expect(statuses(await askSites(task, parts, { ...options, roundRetries: 2 }))).toEqual(['quick ok', 'slow ok']);
    expect(attempts).toHaveLength(3);
    attempts.length = 0;
    await expect(askSites(task, parts, { ...options, roundRetries: 1 })).rejects.toMatchObject({ tag: 'QuorumError' });
    expect(attempts).toHaveLength(2);
  });

  it('says in one line who is missing and why, each in a sentence, and how many more there are', () => {
    const refused =
      'refused the job: policy code: the job brings 1 file,\nand no code of jobs runs here. Ask its operator, who decides it.';
    const sites = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((site) => {
      if (site === 'g') return { site, status: 'late', reason: 'no answer within 5 s' } as const;
      return { site, status: 'failed', reason: site === 'a' ? refused : 'x'.repeat(500) } as const;
    });
    const quorum = (of: typeof sites) => () => requireQuorum({ kind: 'train', round: 3 }, 2, of);
    expect(quorum([sites[0]!, sites[6]!])).toThrow(
      /^Round 3 \(train\) needs 2 sites, but only 0 answered: a failed: refused the job: policy code: the job brings 1 file, and no code of jobs runs here; g late: no answer within 5 s\.$/,
    );
    expect(quorum(sites)).toThrow(/^[^\n]{1,1000}; and 2 other sites\.$/);
  });

  it('does not ask a site in error again, and goes on without it or ends the run, as the job says', async () => {
    let asked = 0;
    const failing = siteOf('bad', () => {
      asked++;
      throw new DataError('no such file');
    });
    const parts = partsOf([failing, prompt('good')]);
    const options = { minSites: 1, roundDeadlineSeconds: 5, roundRetries: 3 };
    expect(statuses(await askSites(task, parts, options))).toEqual(['bad failed', 'good ok']);
    expect(asked).toBe(1);
    const strict = askSites(task, parts, { ...options, siteErrors: 'fail' });
    await expect(strict).rejects.toMatchObject({ tag: 'SiteFailedError' });
    await expect(strict).rejects.toThrow('bad failed');
  });

  it('lets lost sites be given up once there are enough answers, or can never be', async () => {
    const answers: Record<string, SiteAnswer> = {
      ok: await prompt('a')
        .run(task, new AbortController().signal)
        .then((update) => ({ status: 'ok', site: 'a', update })),
      failed: { status: 'failed', site: 'b', error: errorToData(new DataError('no')) },
      late: { status: 'late', site: 'c' },
    };
    /** Before each answer. */
    const mayGiveUp = async (minSites: number, ...order: string[]) => {
      const allowed: (boolean | undefined)[] = [];
      const sites: Sites = {
        names: ['a', 'b', 'c'],
        async *broadcast(_, __, options) {
          for (const which of order) {
            allowed.push(options.mayGiveUp?.());
            yield answers[which]!;
          }
        },
      };
      await askSites(task, partsOf([], { sites }), { minSites, roundDeadlineSeconds: 5 }).catch(() => {});
      return allowed;
    };
    expect(await mayGiveUp(1, 'failed', 'ok', 'late')).toEqual([false, false, true]);
    expect(await mayGiveUp(2, 'ok', 'failed', 'late')).toEqual([false, false, false]);
    expect(await mayGiveUp(3, 'ok', 'failed', 'late')).toEqual([false, false, true]);
  });

  it('acknowledges an update once its record is durable, and tells a site why its update was refused', async () => {
    const told: string[] = [];
    let durable = () => {};
    const journal: RoundJournal = {
      accepted: () => none(),
      record: (_, __, more) => {
        expect(more).toEqual({ spooled: '/spool/a' });
        return new Promise((resolve) => {
          durable = () => {
            told.push('durable');
            resolve();
          };
        });
      },
    };
    const sites = {
      names: ['a', 'b'],
      async *broadcast(broadcast: Task) {
        for (const [name, spooled] of [
          ['a', '/spool/a'],
          ['b', undefined],
        ] as const) {
          const update = await prompt(name).run(broadcast, new AbortController().signal);
          const acknowledge = (outcome: string, reason: string) => told.push(`${name} ${outcome} ${reason}`);
          yield { status: 'ok', site: name, update, acknowledge, ...(spooled && { spooled }) } as const;
        }
        setTimeout(() => durable(), 5);
      },
    };
    const add = ({ site }: Update) => {
      if (site === 'b') throw Object.assign(new Error('wrong shape'), { tag: 'UpdateRejectedError' });
    };
    const parts = partsOf([], { sites, journal });
    const asked = await askSites(task, parts, { minSites: 1, roundDeadlineSeconds: 5, add });
    expect(statuses(asked)).toEqual(['a ok', 'b rejected']);
    expect(told).toEqual(['b rejected wrong shape', 'durable', 'a accepted ']);
  });

  it('records who took part when a round closes without some, and counts the same sites after an interruption', async () => {
    const kept: Participation[][] = [];
    const journal: RoundJournal = {
      accepted: () => none(),
      record: () => {},
      conclude: async (_, participations) => void kept.push([...participations]),
      concluded: async () => undefined,
    };
    const options = { minSites: 1, roundDeadlineSeconds: 0.02 };
    await askSites(task, partsOf([prompt('a'), silent('b')], { journal }), options);
    expect(kept.map(statuses)).toEqual([['a ok', 'b late']]);

    const update = await prompt('a').run(task, new AbortController().signal);
    const after: RoundJournal = {
      ...journal,
      accepted: () => some(update),
      concluded: async () => kept[0],
    };
    const again = partsOf([prompt('a'), prompt('b')], { journal: after });
    expect(statuses(await askSites(task, again, options))).toEqual(['a ok', 'b late']);
    expect(kept).toHaveLength(1);
  });

  it('keeps updates out of memory that wait for their turn, where the journal can read them again', async () => {
    const read: string[] = [];
    const updates = new Map<string, Update>();
    const journal: RoundJournal = {
      accepted: () => none(),
      record: (update) => void updates.set(update.site, update),
      reload: async ({ site }) => {
        read.push(site);
        return updates.get(site)!;
      },
    };
    const last = siteOf('a', async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return { kind: 'weight-diff', tensors: modelOf(4, 8), steps: 1 };
    });
    const parts = partsOf([last, prompt('b', 1), prompt('c', 4)], { journal });
    const siteOrder = ['a', 'b', 'c'];
    const aggregator = weightedMean({
      reference: task.model,
      round: 3,
      siteOrder,
      kind: 'weight-diff',
      maxSteps: 9,
    });
    const add = (update: Update, release?: () => void, reload?: () => Promise<Update>) =>
      aggregator.add(update, release, reload);
    await askSites(task, parts, { minSites: 3, roundDeadlineSeconds: 5, add });
    expect(read).toEqual(['b', 'c']);
    expect(numbersOf(aggregator.finish())).toEqual([1 + 9 / 3, 2 + 13 / 3].map(Math.fround));
  });
});

async function* none(): AsyncGenerator<Update> {}

async function* some(update: Update): AsyncGenerator<Update> {
  yield update;
}
