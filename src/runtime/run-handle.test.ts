import { describe, expect, it } from 'vitest';
import { WorkspaceError } from '../errors';
import type { RunEvent, RunResult } from '../jobs/environment';
import { startRun } from './run-handle';

const result = { outcome: 'finished' } as RunResult;
const log = (message: string): RunEvent => ({ kind: 'log', level: 'info', message });

async function collect(events: AsyncIterable<RunEvent>): Promise<RunEvent[]> {
  const all: RunEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

describe('a started run', () => {
  it('tells every reader all events, and ends with done', async () => {
    const run = startRun('r', async ({ emit }) => {
      emit(log('a'));
      await Promise.resolve();
      emit(log('b'));
      return result;
    });
    const early = collect(run.events());
    expect(await run.result()).toBe(result);
    const expected = [log('a'), log('b'), { kind: 'done', outcome: 'finished' }];
    expect(await early).toEqual(expected);
    expect(await collect(run.events())).toEqual(expected);
    expect(run.status()).toBe('finished');
  });

  it('fails with the error that ended it', async () => {
    const run = startRun('r', async () => {
      throw new Error('disk full');
    });
    await expect(run.result()).rejects.toThrow('disk full');
    expect(run.status()).toBe('failed');
  });

  it('that is aborted while the disk is full tells of both', async () => {
    const full = new WorkspaceError('the disk is full');
    const run = startRun('r', async ({ signal }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      throw full;
    });
    run.abort();
    await expect(run.result()).rejects.toMatchObject({ tag: 'AbortedError', cause: full });
  });

  it('that is aborted rejects with AbortedError and says how to go on', async () => {
    const run = startRun('r', ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', reject)));
    run.abort();
    await expect(run.result()).rejects.toMatchObject({
      tag: 'AbortedError',
      hint: expect.stringContaining('--resume'),
    });
    expect(run.status()).toBe('aborted');
  });
});
