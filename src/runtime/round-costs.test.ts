import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { modelOf, numbersOf, partsOf, roundsOf, startOf } from '../../test/support/workflow-rig';
import { createSite } from '../executors/site';
import type { Filter } from '../filters/filter';
import { seededTestNoise } from '../privacy/seeded-test-noise';
import type { SiteLink } from '../transport/in-memory';
import { askSites } from '../workflows/ask-sites';
import { crossSiteEval } from '../workflows/cross-site-eval';
import { cyclic } from '../workflows/cyclic';
import type { RoundReport, WorkflowParts } from '../workflows/workflow';
import { filteredSites } from './filtered-sites';
import { lineOf, type RoundLine } from './round-line';
import { RunHistory } from './run-history';
import { siteLedger } from './site-ledger';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'consilium-costs-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Charges one ε a call, whatever it is given. */
const charging: Filter = {
  name: 'charging',
  accepts: ['weights', 'weight-diff', 'metrics'],
  async apply(payload, { charge }) {
    await charge('charging', costOf('charging'));
    return payload;
  },
};
const placed = [{ tasks: undefined, sites: undefined, filter: charging }];

function costOf(mechanism: string) {
  return { mechanism, differentiallyPrivate: true, epsilon: 1, delta: 0, unit: 'update', details: {} };
}

/** A site that adds one, behind the filter that charges; its ledger is on disk. */
async function chargedSite(name: string): Promise<SiteLink> {
  const site = createSite({
    name,
    executor: {
      async execute({ kind, model }) {
        const [w] = numbersOf(model);
        const metrics = { score: w! };
        const seconds = { validate: 0, train: 0 };
        if (kind === 'validate')
          return { payload: { kind: 'metrics', tensors: new Map(), metrics, steps: 0 }, seconds };
        const own = kind === 'train' ? ('weight-diff' as const) : ('weights' as const);
        return { payload: { kind: own, tensors: modelOf(1), metrics, steps: 1 }, seconds };
      },
      state: () => undefined,
      restore: () => {},
    },
    filtersIn: [],
    filtersOut: placed,
    store: { load: async () => undefined, save: async () => {} },
    ledger: await siteLedger(join(folder, name), name),
    noise: (round) => seededTestNoise(0, round),
  });
  const context = { signal: new AbortController().signal, progress: () => {} };
  return { name, run: async (task) => (await site.run(task, context)).update };
}

/** Calls that the site has booked. */
async function booked(name: string): Promise<number> {
  const text = await readFile(join(folder, name, 'privacy', 'ledger.jsonl'), 'utf8');
  return text.trim().split('\n').length;
}

type Workflow = (parts: WorkflowParts) => AsyncIterable<RoundReport>;

/** The lines of a run on two such sites. */
async function linesOf(workflow: Workflow, more: (parts: WorkflowParts) => Partial<WorkflowParts> = () => ({})) {
  const parts = partsOf(await Promise.all(['a', 'b'].map(chargedSite)));
  let history = RunHistory.empty;
  for await (const report of workflow({ ...parts, ...more(parts) }))
    history = history.with(lineOf(report, 0, new Date(), history));
  return history.lines();
}

const costs = (lines: readonly RoundLine[], name: string) =>
  lines.flatMap(({ sites }) => sites.filter((site) => site.name === name)).flatMap(({ privacy = [] }) => privacy);

describe('the lines of a run tell every cost once', () => {
  const evaluation = { ...roundsOf(2), checkpoints: {} };
  /** Reports the two tasks of each round in two lines. */
  const twoLines: Workflow = async function* (parts) {
    let state = startOf(modelOf(0));
    for (const round of [0, 1]) {
      for (const kind of ['train', 'validate', 'validate']) {
        const sites = await askSites({ kind, round, model: state.model }, parts, roundsOf(2));
        if (kind === 'validate') state = { ...state, round: round + 1 };
        yield { evaluated: 'before', round, final: false, metrics: {}, sites, state };
      }
    }
  };
  const workflows: Record<string, Workflow> = {
    'cross-site evaluation': (parts) => crossSiteEval(evaluation, startOf(modelOf(0)), parts),
    'cyclic training': (parts) => cyclic({ ...roundsOf(2), order: 'fixed' }, startOf(modelOf(0)), parts),
    'a workflow that reports several tasks of a round in lines of their own': twoLines,
  };

  it.each(Object.entries(workflows))('%s', async (_, workflow) => {
    const lines = await linesOf(workflow);
    for (const name of ['a', 'b']) expect(costs(lines, name)).toHaveLength(await booked(name));
    expect(lines.at(-1)?.privacy?.epsilonTotal).toBe(await booked('a'));
  });

  it("those of the server's own filters too", async () => {
    let calls = 0;
    const server: Filter = {
      ...charging,
      name: 'server',
      async apply(payload, { charge }) {
        calls++;
        await charge('server', costOf('server'));
        return payload;
      },
    };
    const filters = {
      outgoing: [],
      incoming: [{ tasks: undefined, sites: undefined, filter: server }],
      noise: (round: number) => seededTestNoise(0, round),
      ledger: await siteLedger(join(folder, 'server'), 'server'),
    };
    const lines = await linesOf(twoLines, ({ sites }) => ({ sites: filteredSites(sites, filters) }));
    const told = ['a', 'b'].flatMap((name) => costs(lines, name)).map(({ mechanism }) => mechanism);
    expect(told.filter((mechanism) => mechanism === 'server')).toHaveLength(calls);
    expect(told.filter((mechanism) => mechanism === 'charging')).toHaveLength(
      (await booked('a')) + (await booked('b')),
    );
  });

  it('those of an update that the server refused too', async () => {
    const [line] = await linesOf(async function* (parts) {
      const state = startOf(modelOf(0, 0)); // Of another shape than the sites train.
      const aggregator = parts.aggregator(state.model, 0);
      const sites = await askSites({ kind: 'train', round: 0, model: state.model }, parts, {
        ...roundsOf(1),
        minSites: 0,
        add: (update) => aggregator.add(update),
      });
      yield { evaluated: 'before', round: 0, final: false, metrics: {}, sites, state: { ...state, round: 1 } };
    });
    expect(line!.sites.map(({ status, privacy }) => [status, privacy?.length])).toEqual([
      ['rejected', 1],
      ['rejected', 1],
    ]);
  });
});

it('a ledger says of which task a cost was', async () => {
  const ledger = await siteLedger(folder, 'a');
  await ledger.charge({ round: 0, kind: 'train' }, 'svt', costOf('svt'));
  const again = await siteLedger(folder, 'a');
  expect([again.booked(0).length, again.spent('svt')]).toEqual([1, 1]);
  const lines = (await readFile(join(folder, 'privacy', 'ledger.jsonl'), 'utf8')).trim().split('\n');
  expect(lines.map((line) => JSON.parse(line).task)).toEqual(['train']);
});
