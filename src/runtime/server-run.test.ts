import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { DataError } from '../errors';
import type { RunEvent } from '../jobs/environment';
import type { JobSpec } from '../jobs/job-spec';
import { roundSettings } from '../jobs/workflow-spec';
import type { Task, Update } from '../protocol/messages';
import { Brats18Recipe } from '../recipes/brats18-recipe';
import { float32, type NamedTensors } from '../tensor/tensor';
import { inMemorySites } from '../transport/in-memory';
import type { CheckpointStore } from './checkpoint';
import { defineWorkflow } from './define-part';
import { freshStart, runServer } from './server-run';

const start = freshStart('hash', new Map([['w', float32([1], [0])]]));

const delta = (value: number) => new Map([['w', float32([1], [value])]]);

interface Rig {
  readonly sites?: number;
  readonly minSites?: number;
  /** What a site trains, in place of adding 1. */
  readonly train?: (site: string) => Promise<NamedTensors | undefined>;
  /** @default federated averaging */
  readonly workflow?: object;
}

let isClosed = false;
/** Asks nobody, and has something to close. */
const closing = defineWorkflow({
  module: __filename,
  kind: 'test/closing',
  options: z.strictObject(roundSettings),
  async *create({ rounds }, state) {
    try {
      for (let round = 0; round < rounds; round++) {
        yield {
          evaluated: 'before',
          round,
          final: false,
          metrics: {},
          sites: [],
          state: { ...state, round: round + 1 },
        };
      }
    } finally {
      isClosed = true;
    }
  },
});

/** Sites that add 1, and a note of every task and save. */
function rig(
  rounds: number,
  save: (round: number) => Promise<void>,
  { minSites = 2, sites = 2, workflow, ...answer }: Rig = {},
) {
  const notes: string[] = [];
  const { job: whole } = new Brats18Recipe({ nClients: sites, rounds });
  const job = { ...whole, workflow: workflow ?? { ...whole.workflow, minSites } } as JobSpec;
  const store: CheckpointStore = {
    load: async () => undefined,
    save: async (checkpoint) => {
      const { round, history } = checkpoint;
      const what = history.last?.final ? 'final' : round;
      notes.push(`save ${what}`);
      await save(round);
      notes.push(`saved ${what}`);
      return checkpoint;
    },
    journal: { accepted: nothing, record: () => {} },
  };
  const links = job.sites.map((name) => ({
    name,
    run: async (task: Task): Promise<Update> => {
      notes.push(`${task.kind} ${task.round}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
      const tensors = task.kind === 'train' ? ((await answer.train?.(name)) ?? delta(1)) : new Map();
      const kind = task.kind === 'train' ? 'weight-diff' : 'metrics';
      return {
        site: name,
        round: task.round,
        task: task.kind,
        payload: { kind, tensors, metrics: {}, steps: 1 },
        privacy: [],
        seconds: { validate: 0, train: 0, other: 0 },
      };
    },
  }));
  const events: RunEvent[] = [];
  const run = (signal = new AbortController().signal) =>
    runServer({
      job,
      jobHash: 'hash',
      start,
      sites: inMemorySites(links),
      store,
      onLine: async () => {},
      loadModel: async () => new Map(),
      emit: (event) => events.push(event),
      signal,
    });
  return { run, notes, events };
}

async function* nothing(): AsyncGenerator<Update> {}

const soon = () => new Promise<void>((resolve) => setTimeout(resolve, 1));
const longerThanARound = () => new Promise<void>((resolve) => setTimeout(resolve, 50));

describe('the server of a run', () => {
  it('begins the next round while the checkpoint goes to disk, and has one checkpoint under way at most', async () => {
    const { run, notes } = rig(3, longerThanARound);
    const last = await run();
    expect(last.history.last).toMatchObject({ final: true });
    expect(notes.indexOf('train 1')).toBeLessThan(notes.indexOf('saved 1'));
    const saves = notes.filter((note) => note.startsWith('save'));
    expect(saves).toEqual(['1', '2', '3', 'final'].flatMap((round) => [`save ${round}`, `saved ${round}`]));
  });

  it('tells of a round once it is on disk, and of the next one after it', async () => {
    const { run, events } = rig(2, soon);
    await run();
    expect(
      events
        .filter(({ kind }) => kind.startsWith('round'))
        .map((event) => `${event.kind} ${'round' in event ? event.round : ''}`),
    ).toEqual([
      ...['round-started 0', 'round-finished 0', 'round-started 1', 'round-finished 1'],
      ...['round-started 2', 'round-finished 2'],
    ]);
  });

  it('tells of each site without a part in a task: which, when, why, and the class of its error', async () => {
    const train = async (site: string) => {
      if (site === 'site-2') throw new DataError('/data/anna.nii.gz holds NaN');
      return site === 'site-3' ? delta(Number.NaN) : undefined;
    };
    const { run, events } = rig(1, soon, { sites: 3, minSites: 1, train });
    await run();
    const failed = events.filter(({ kind }) => kind === 'site-failed');
    expect(failed).toEqual([
      {
        ...{ kind: 'site-failed', site: 'site-2', round: 0, task: 'train', status: 'failed', error: 'DataError' },
        reason: "its data cannot be used (DataError); the site's log has the details",
      },
      {
        ...{ kind: 'site-failed', site: 'site-3', round: 0, task: 'train', status: 'rejected' },
        error: 'UpdateRejectedError',
        reason: expect.stringContaining('not finite'),
      },
    ]);
    expect(events.find(({ kind }) => kind === 'round-finished')).toMatchObject({
      sites: [
        { name: 'site-1', status: 'ok' },
        { name: 'site-2', status: 'failed', reason: expect.stringContaining('DataError') },
        { name: 'site-3', status: 'rejected', reason: expect.stringContaining('not finite') },
      ],
    });
  });

  it('ends with the reason when a checkpoint cannot be written, without waiting for all rounds', async () => {
    const { run, notes } = rig(100, async (round) => {
      if (round === 2) throw new Error('the disk is full');
    });
    await expect(run()).rejects.toThrow('the disk is full');
    expect(notes).not.toContain('train 5');
  });

  it('closes a workflow that it stops between two rounds', async () => {
    const fails = async () => {
      throw new Error('the disk is full');
    };
    const workflow = closing({ rounds: 9, minSites: 1, keyMetric: 'score' });
    await expect(rig(9, fails, { workflow }).run()).rejects.toThrow('the disk is full');
    expect(isClosed).toBe(true);
  });

  it('keeps the finished round when it is stopped in the next', async () => {
    const stop = new AbortController();
    const { run, notes } = rig(3, async () => {
      stop.abort();
      await longerThanARound();
    });
    await expect(run(stop.signal)).rejects.toThrow();
    expect(notes).toContain('saved 1');
    expect(notes).not.toContain('save 2');
  });
});
