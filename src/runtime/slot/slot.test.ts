import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Task } from '../../protocol/messages';
import { Brats18Recipe } from '../../recipes/brats18-recipe';
import { type Slot, startSlot } from './slot';

const setup = { job: new Brats18Recipe().job, folder: '.', sites: [], sessionThreads: 1, testNoiseSeed: undefined };
const never = new AbortController().signal;
const task = (kind: Task['kind']): Task => ({ kind, round: 0, model: new Map() });
let slot: Slot;
afterEach(() => slot.close());

describe('a slot whose worker dies', () => {
  it('fails the task in its hands, naming the site, and carries out the next one in a new worker', async () => {
    const worker = join('..', '..', '..', 'test', 'support', 'dying-slot-worker');
    slot = startSlot({ setup, onProgress: () => {}, onLog: () => {}, onLost: () => {}, worker });
    await expect(slot.run('site-2', task('train'), never)).rejects.toMatchObject({
      tag: 'SiteFailedError',
      message: expect.stringContaining('site-2'),
    });
    expect(await slot.run('site-2', task('validate'), never)).toMatchObject({ site: 'site-2', task: 'validate' });
  });

  it('does nothing for a run that was stopped before', async () => {
    slot = startSlot({
      setup,
      onProgress: () => {},
      onLog: () => {},
      onLost: () => {},
      worker: join('..', '..', '..', 'test', 'support', 'dying-slot-worker'),
    });
    await expect(slot.run('site-1', task('train'), AbortSignal.abort())).rejects.toMatchObject({ tag: 'AbortedError' });
  });
});
