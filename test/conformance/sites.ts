/**
 * What every implementation of the `Sites` port must do, whatever it sends messages over.
 *
 * @module
 */
import { describe, expect, it, vi } from 'vitest';
import { DataError } from '../../src/errors';
import type { SiteAnswer, Task, Update } from '../../src/protocol/messages';
import type { Sites } from '../../src/protocol/sites';
import { float32 } from '../../src/tensor/tensor';

interface Link {
  readonly name: string;
  run(task: Task, signal: AbortSignal): Promise<Update>;
}

const task: Task = { kind: 'train', round: 0, model: new Map([['w', float32([2], [1, 2])]]) };

export function updateOf(site: string, { kind, round, model }: Task, steps = 1): Update {
  const payload = { kind: 'weight-diff' as const, tensors: model, metrics: {}, steps };
  return { site, round, task: kind, payload, privacy: [], seconds: { validate: 0, train: 0, other: 0 } };
}

const prompt = (name: string): Link => ({ name, run: async (asked) => updateOf(name, asked) });
const silent = (name: string): Link => ({ name, run: () => new Promise(() => {}) });

export function testSites(name: string, make: (links: readonly Link[]) => Sites): void {
  describe(`the Sites port (${name})`, () => {
    const never = new AbortController().signal;

    it('lists its sites in the order in which they were given', () => {
      expect(make([prompt('b'), prompt('a')]).names).toEqual(['b', 'a']);
    });

    it('gives one answer for every site that was asked, and none for the others', async () => {
      const sites = make([prompt('a'), prompt('b'), prompt('c')]);
      const answers = await collect(sites, ['a', 'c'], 5, never);
      expect(answers.map(({ site }) => site).sort()).toEqual(['a', 'c']);
      expect(answers.every(({ status }) => status === 'ok')).toBe(true);
    });

    it('gives answers as they come', async () => {
      const slow: Link = {
        name: 'slow',
        run: async (asked) => {
          await new Promise((resolve) => setTimeout(resolve, 50));
          return updateOf('slow', asked);
        },
      };
      const answers = await collect(make([slow, prompt('quick')]), ['slow', 'quick'], 5, never);
      expect(answers.map(({ site }) => site)).toEqual(['quick', 'slow']);
    });

    it('answers "failed" for a site that fails, without its data, and goes on with the others', async () => {
      const failing: Link = {
        name: 'bad',
        run: async () => {
          throw new DataError('voxel 17 of /secret/patient-7.nii is NaN');
        },
      };
      const answers = await collect(make([failing, prompt('good')]), ['bad', 'good'], 5, never);
      const failed = answers.find(({ site }) => site === 'bad');
      expect(failed?.status).toBe('failed');
      expect(JSON.stringify(failed)).not.toMatch(/secret|patient|17/);
      expect(answers.find(({ site }) => site === 'good')?.status).toBe('ok');
    });

    it('answers "late" for a site that misses the deadline', async () => {
      const answers = await collect(make([silent('mute'), prompt('good')]), ['mute', 'good'], 0.05, never);
      expect(answers.map(({ site, status }) => `${site} ${status}`)).toEqual(['good ok', 'mute late']);
    });

    it('stops with AbortedError when the run is stopped', async () => {
      const controller = new AbortController();
      const answers = collect(make([silent('mute')]), ['mute'], 5, controller.signal);
      controller.abort();
      await expect(answers).rejects.toMatchObject({ tag: 'AbortedError' });
    });

    it('tells the sites when the workflow stops listening', async () => {
      let stopped = false;
      const watching: Link = {
        name: 'watching',
        run: (_, signal) =>
          new Promise(() => {
            signal.addEventListener('abort', () => {
              stopped = true;
            });
          }),
      };
      const sites = make([prompt('quick'), watching]);
      for await (const _ of sites.broadcast(task, sites.names, { deadlineSeconds: 5, signal: never })) break;
      await vi.waitFor(() => expect(stopped).toBe(true)); // Word travels.
    });

    it('refuses a site that it does not know', async () => {
      await expect(collect(make([prompt('a')]), ['z'], 5, never)).rejects.toThrow("no site 'z'");
    });
  });
}

async function collect(
  sites: Sites,
  names: readonly string[],
  deadlineSeconds: number,
  signal: AbortSignal,
): Promise<SiteAnswer[]> {
  const answers: SiteAnswer[] = [];
  for await (const answer of sites.broadcast(task, names, { deadlineSeconds, signal })) answers.push(answer);
  return answers;
}
