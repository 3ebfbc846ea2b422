import { describe, expect, it } from 'vitest';
import { DataError, EngineError, FilterBlockedError, NonFiniteError, withSummary } from '../errors';
import type { Filter } from '../filters/filter';
import { seededTestNoise } from '../privacy/seeded-test-noise';
import { failureSummary } from '../protocol/failure-summary';
import type { Task } from '../protocol/messages';
import { float32, type NamedTensors } from '../tensor/tensor';
import type { Executor } from './executor';
import { createSite, type SiteParts } from './site';

const tensors = (value: number): NamedTensors => new Map([['w', float32([1], [value])]]);
const task = (round: number, kind: Task['kind'] = 'train'): Task => ({ kind, round, model: tensors(0) });
const context = { signal: new AbortController().signal, progress: () => {} };

/** Its state counts the rounds it trained; its update is that count. */
function countingExecutor(): Executor {
  let count = 0;
  return {
    async execute({ kind }) {
      if (kind === 'train') count++;
      const payload = {
        kind: kind === 'train' ? ('weight-diff' as const) : ('metrics' as const),
        tensors: tensors(count),
        metrics: {},
        steps: 1,
      };
      return { payload, seconds: { validate: 0, train: 0 } };
    },
    state: () => tensors(count),
    restore: (state) => {
      count = Number(state?.get('w')?.data[0] ?? 0);
    },
  };
}

function parts(disk: Map<number, NamedTensors>, filtersOut: SiteParts['filtersOut'] = []): SiteParts {
  return {
    name: 'site-1',
    executor: countingExecutor(),
    filtersIn: [],
    filtersOut,
    store: {
      load: async (round) => [...disk].filter(([saved]) => saved <= round).at(-1)?.[1],
      save: async (round, state) => void disk.set(round, state),
    },
    ledger: { spent: () => 0, booked: () => [], charge: async () => {} },
    noise: (round) => seededTestNoise(0, round),
  };
}

const weight = (update: { payload: { tensors: NamedTensors } }) => update.payload.tensors.get('w')!.data[0];
const double: Filter = {
  name: 'double',
  accepts: ['weight-diff'],
  apply: (payload) => ({ ...payload, tensors: tensors(2 * Number(payload.tensors.get('w')!.data[0])) }),
};

describe('a site', () => {
  it('carries its state from round to round', async () => {
    const site = createSite(parts(new Map()));
    for (const round of [0, 1, 2]) {
      const { update, durable } = await site.run(task(round), context);
      await durable;
      expect(weight(update)).toBe(round + 1);
    }
  });

  it('continues from disk in a new process', async () => {
    const disk = new Map<number, NamedTensors>();
    await (await createSite(parts(disk)).run(task(0), context)).durable;
    const { update } = await createSite(parts(disk)).run(task(1), context);
    expect(weight(update)).toBe(2);
  });

  it('repeats a round from the state before it', async () => {
    const disk = new Map<number, NamedTensors>();
    const site = createSite(parts(disk));
    for (const round of [0, 1]) await (await site.run(task(round), context)).durable;
    const { update } = await site.run(task(1), context);
    expect(weight(update)).toBe(2);
  });

  it('adds site and round, once, to what any executor throws of the engine, and to nothing else', async () => {
    const failing = (error: Error) => {
      const execute = () => Promise.reject(error);
      return createSite({ ...parts(new Map()), executor: { ...countingExecutor(), execute } }).run(task(3), context);
    };
    const hint = 'Lower the learning rate.';
    await expect(failing(new NonFiniteError("In step 6, 'loss' is NaN.", { hint }))).rejects.toMatchObject({
      tag: 'NonFiniteError',
      message: "site-1, round 3: In step 6, 'loss' is NaN.",
      hint,
    });
    await expect(failing(new EngineError('site-1, round 3: no memory'))).rejects.toThrow(
      /^site-1, round 3: no memory$/,
    );
    const others = [new DataError('no such file'), new Error('boom')];
    for (const error of others) await expect(failing(error)).rejects.toBe(error);
  });

  it('tells the server how far it had come, and nothing of the message', async () => {
    const secret = () => new Error('patient 4711');
    const fail = () => Promise.reject(secret());
    const summaryOf = async (more: Partial<SiteParts>, kind = 'train') => {
      const site = createSite({ ...parts(new Map()), ...more });
      const failure: unknown = await site
        .run(task(0, kind), context)
        .then(({ durable }) => durable)
        .catch((error: unknown) => error);
      return failureSummary(failure).message.replace("; the site's log has the details", '');
    };
    const executing = (steps: number, phase: 'train' | 'validate' = 'train'): Partial<SiteParts> => ({
      executor: {
        ...countingExecutor(),
        execute: async (_, { progress }) => {
          if (steps > 0) progress({ phase, done: steps, total: 9 });
          throw secret();
        },
      },
    });
    const store = { load: async () => undefined, save: async () => {} };
    const blocking = [{ tasks: undefined, sites: undefined, filter: { ...double, apply: fail } }];
    const weights = [{ ...blocking[0]!, filter: { ...blocking[0]!.filter, accepts: ['weights' as const] } }];
    const what = 'something unexpected went wrong (Error, ';
    expect(await summaryOf({ store: { ...store, load: fail } })).toBe(`${what}while it read its state)`);
    expect(await summaryOf({ filtersIn: weights })).toBe(`${what}in its filters of the received model)`);
    expect(await summaryOf(executing(0))).toBe(`${what}in its 'train' task)`);
    expect(await summaryOf(executing(4))).toBe(`${what}while training, after 4 of 9 steps)`);
    expect(await summaryOf(executing(4, 'validate'))).toBe(`${what}while validating, after 4 of 9 cases)`);
    expect(await summaryOf(executing(9, 'validate'))).toBe(`${what}before its first training step)`);
    expect(await summaryOf(executing(9, 'validate'), 'validate')).toBe(`${what}after validating)`);
    expect(await summaryOf(executing(0), 'statistics')).toBe(`${what}in its 'statistics' task)`);
    expect(await summaryOf({ filtersOut: blocking })).toBe(`${what}in the filters of its answer)`);
    expect(await summaryOf({ store: { ...store, save: fail } })).toBe(`${what}while it kept its state)`);
    const spent = () => Promise.reject(withSummary(secret(), 'its privacy budget is spent'));
    expect(await summaryOf({ store: { ...store, load: spent } })).toBe('its privacy budget is spent');
  });

  it('keeps the state of its last good round when training breaks off, and goes on from it', async () => {
    const disk = new Map<number, NamedTensors>();
    const executor = countingExecutor();
    const breaksInRound1: Executor = {
      ...executor,
      async execute(received, around) {
        const result = await executor.execute(received, around);
        if (received.round === 1) throw new NonFiniteError("In step 3, 'loss' is NaN.");
        return result;
      },
    };
    const site = createSite({ ...parts(disk), executor: breaksInRound1 });
    await (await site.run(task(0), context)).durable;
    await expect(site.run(task(1), context)).rejects.toThrow(/^site-1, round 1: In step 3/);
    expect([...disk.keys()]).toEqual([0]);
    expect(weight((await site.run(task(2), context)).update)).toBe(2);
  });

  it('sends nothing but what its filters return', async () => {
    const site = createSite(parts(new Map(), [{ tasks: ['train'], sites: undefined, filter: double }]));
    expect(weight((await site.run(task(0), context)).update)).toBe(2);
  });

  it('sends nothing when a filter blocks, or cannot handle the payload', async () => {
    const blocking: Filter = {
      name: 'blocking',
      accepts: ['weight-diff'],
      apply: () => {
        throw new FilterBlockedError('no');
      },
    };
    const blocked = createSite(parts(new Map(), [{ tasks: ['train'], sites: undefined, filter: blocking }]));
    await expect(blocked.run(task(0), context)).rejects.toMatchObject({ tag: 'FilterBlockedError' });
    const misplaced = createSite(parts(new Map(), [{ tasks: ['validate'], sites: undefined, filter: double }]));
    await expect(misplaced.run(task(0, 'validate'), context)).rejects.toMatchObject({ tag: 'FilterBlockedError' });
  });

  it('tells what an attempt cost that was killed before its update was kept', async () => {
    const cost = (epsilon: number) => ({
      mechanism: 'svt',
      differentiallyPrivate: true,
      epsilon,
      delta: 0,
      unit: 'update',
      details: {},
    });
    const charging: Filter = {
      ...double,
      name: 'charging',
      apply: async (payload, { charge }) => {
        await charge('charging', cost(2));
        return payload;
      },
    };
    const own = parts(new Map(), [{ tasks: ['train'], sites: undefined, filter: charging }]);
    const ledger = { ...own.ledger, booked: (round: number) => (round === 1 ? [cost(1)] : []) };
    const site = createSite({ ...own, ledger });
    expect((await site.run(task(0), context)).update.privacy).toEqual([cost(2)]);
    expect((await site.run(task(1), context)).update.privacy).toEqual([cost(1), cost(2)]);
  });

  it('says so when its state cannot be written: the update must not leave', async () => {
    const full = parts(new Map());
    const store = { ...full.store, save: () => Promise.reject(new Error('disk full')) };
    const { durable } = await createSite({ ...full, store }).run(task(0), context);
    await expect(durable).rejects.toThrow('disk full');
  });
});
