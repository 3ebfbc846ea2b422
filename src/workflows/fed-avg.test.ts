import { describe, expect, it } from 'vitest';
import { partsOf } from '../../test/support/workflow-rig';
import type { Task, Update } from '../protocol/messages';
import { float32, type NamedTensors } from '../tensor/tensor';
import type { SiteLink } from '../transport/in-memory';
import { type FedAvgSpec, fedAvg } from './fed-avg';
import { meanMetrics, type RoundReport, type WorkflowParts } from './workflow';

const spec = { rounds: 2, minSites: 2, roundDeadlineSeconds: 5, keyMetric: 'val_dice', keyMetricMode: 'max' } as const;
const start = { round: 0, model: model(1), memory: new Map() };

/** Adds `change` to the received weight in `steps` steps. */
function site(name: string, change: number, steps: number): SiteLink {
  return { name, run: async (task) => update(name, task, change, steps) };
}

function update(name: string, task: Task, change: number, steps: number): Update {
  const trained = task.kind === 'train';
  const payload = {
    kind: trained ? ('weight-diff' as const) : ('metrics' as const),
    tensors: trained ? model(change) : new Map(),
    metrics: { val_dice: weight(task.model) / 10 },
    steps: trained ? steps : 0,
  };
  const seconds = { validate: 0, train: 0, other: 0 };
  return { site: name, round: task.round, task: task.kind, payload, privacy: [], seconds };
}

async function* given(...updates: readonly Update[]): AsyncGenerator<Update> {
  yield* updates;
}

function model(value: number): NamedTensors {
  return new Map([['w', float32([1], [value])]]);
}

function weight(tensors: NamedTensors): number {
  return Number(tensors.get('w')!.data[0]);
}

function parts(links: readonly SiteLink[], journal: Partial<WorkflowParts['journal']> = {}): WorkflowParts {
  return partsOf(links, { journal: { accepted: () => given(), record: () => {}, ...journal } });
}

async function run(links: readonly SiteLink[], options: Partial<FedAvgSpec> = {}): Promise<RoundReport[]> {
  const reports: RoundReport[] = [];
  for await (const report of fedAvg({ ...spec, ...options }, start, parts(links))) reports.push(report);
  return reports;
}

describe('federated averaging', () => {
  it('adds the mean of the changes, weighted by steps, round after round', async () => {
    const reports = await run([site('a', 1, 1), site('b', 4, 2)]);
    // (1·1 + 4·2) / 3 = 3 a round: 1 → 4 → 7.
    expect(reports.map(({ state }) => weight(state.model))).toEqual([4, 7, 7]);
  });

  it('reports the metrics of the model each round started from, and of the finished one at the end', async () => {
    const reports = await run([site('a', 1, 1), site('b', 4, 2)]);
    expect(reports.map(({ round, final }) => [round, final])).toEqual([
      [0, false],
      [1, false],
      [2, true],
    ]);
    expect(reports.map(({ metrics }) => metrics.val_dice)).toEqual([0.1, 0.4, 0.7]);
    expect(reports.map(({ evaluated }) => evaluated)).toEqual(['before', 'before', 'after']);
  });

  it('goes on without a site that fails while the quorum holds, and says who took part', async () => {
    const failing: SiteLink = {
      name: 'c',
      run: async () => {
        throw new Error('out of memory');
      },
    };
    const [first] = await run([site('a', 2, 1), site('b', 2, 1), failing]);
    expect(weight(first!.state.model)).toBe(3);
    expect(first!.sites.map(({ site, status }) => `${site} ${status}`)).toEqual(['a ok', 'b ok', 'c failed']);
  });

  it('refuses an update with NaN as a whole, and counts the others', async () => {
    const reports = await run([site('a', 2, 1), site('b', 2, 1), site('c', Number.NaN, 1)], { rounds: 1 });
    expect(weight(reports[0]!.state.model)).toBe(3);
    expect(reports[0]!.sites[2]).toMatchObject({ site: 'c', status: 'rejected' });
  });

  it('fails with the names of the missing sites when the quorum is missed', async () => {
    await expect(run([site('a', 1, 1), site('b', Number.NaN, 1)])).rejects.toThrow(/needs 2 sites.*: .*b rejected/);
  });

  it('does not ask a site again whose update was accepted before an interruption', async () => {
    const asked: string[] = [];
    const watched = (link: SiteLink): SiteLink => ({
      name: link.name,
      run: (task, signal) => {
        asked.push(`${link.name} ${task.kind} ${task.round}`);
        return link.run(task, signal);
      },
    });
    const before = update('a', { kind: 'train', round: 0, model: start.model }, 1, 1);
    const links = [watched(site('a', 100, 1)), watched(site('b', 4, 2))];
    const accepted = (round: number) => given(...(round === 0 ? [before] : []));
    const reports: RoundReport[] = [];
    for await (const report of fedAvg({ ...spec, rounds: 1 }, start, parts(links, { accepted }))) reports.push(report);
    expect(weight(reports[0]!.state.model)).toBe(4);
    expect(asked).toEqual(['b train 0', 'a validate 1', 'b validate 1']);
  });

  it('writes an update to the journal once it was accepted, and never one that was refused', async () => {
    const recorded: string[] = [];
    const record = (one: Update) => {
      recorded.push(`${one.site} ${one.round}`);
    };
    const links = [site('a', 1, 1), site('b', 1, 1), site('c', Number.NaN, 1)];
    for await (const report of fedAvg({ ...spec, rounds: 1 }, start, parts(links, { record }))) {
      if (!report.final) expect([...recorded].sort()).toEqual(['a 0', 'b 0']);
    }
  });
});

describe('the mean of metrics', () => {
  it('leaves out sites that lack one, and is null when all lack it', () => {
    expect(meanMetrics([{ a: 1, b: null }, { a: 3, b: 5 }, { c: null }])).toEqual({ a: 2, b: 5, c: null });
  });
});
