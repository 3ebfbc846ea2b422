import { describe, expect, it } from 'vitest';
import { testSites, updateOf } from '../../test/conformance/sites';
import { inMemorySites, type SiteLink } from './in-memory';

testSites('in-memory', (links) => inMemorySites(links));
testSites('in-memory, bounded', (links) => inMemorySites(links, { ahead: 2 }));

const task = { kind: 'train', round: 0, model: new Map() };
const options = { deadlineSeconds: 5, signal: new AbortController().signal };

describe('the in-memory transport with a bound', () => {
  it('asks no site further ahead of the first open answer than it may', async () => {
    let asked = 0;
    let taken = 0;
    const links = Array.from({ length: 20 }, (_, i): SiteLink => {
      const name = `site-${i}`;
      const run: SiteLink['run'] = async (given) => {
        asked++;
        return updateOf(name, given);
      };
      return { name, run };
    });
    const sites = inMemorySites(links, { ahead: 3 });
    for await (const _ of sites.broadcast(task, sites.names, options)) {
      expect(asked - taken).toBeLessThanOrEqual(3);
      taken++;
    }
    expect(taken).toBe(20);
  });

  it('does not run ahead of a site that is slow', async () => {
    const answered: string[] = [];
    let finish = () => {};
    const slow: SiteLink = {
      name: 'slow',
      run: async (given) => {
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
        return updateOf('slow', given);
      },
    };
    const quick = ['a', 'b', 'c', 'd'].map((name): SiteLink => ({ name, run: async (given) => updateOf(name, given) }));
    const sites = inMemorySites([slow, ...quick], { ahead: 3 });
    for await (const { site } of sites.broadcast(task, sites.names, options)) {
      answered.push(site);
      if (site === 'b') finish();
    }
    expect(answered).toEqual(['a', 'b', 'slow', 'c', 'd']);
  });

  it('does not leak listeners over a thousand sites at once', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error) => warnings.push(warning);
    process.on('warning', note);
    const links = Array.from({ length: 1000 }, (_, i): SiteLink => {
      const name = `site-${i}`;
      const run: SiteLink['run'] = async (given, signal) => {
        signal.addEventListener('abort', () => {});
        return updateOf(name, given);
      };
      return { name, run };
    });
    const sites = inMemorySites(links);
    let answers = 0;
    for await (const _ of sites.broadcast(task, sites.names, options)) answers++;
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', note);
    expect(answers).toBe(1000);
    expect(warnings).toEqual([]);
  });

  it('gives the answers that came before the deadline, although the workflow takes them after it', async () => {
    const prompt: SiteLink[] = ['a', 'b'].map((name) => ({ name, run: async (given) => updateOf(name, given) }));
    const mute: SiteLink = { name: 'mute', run: () => new Promise(() => {}) };
    const sites = inMemorySites([...prompt, mute]);
    const statuses: string[] = [];
    for await (const { site, status } of sites.broadcast(task, sites.names, { ...options, deadlineSeconds: 0.02 })) {
      statuses.push(`${site} ${status}`);
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    expect(statuses).toEqual(['a ok', 'b ok', 'mute late']);
  });
});
