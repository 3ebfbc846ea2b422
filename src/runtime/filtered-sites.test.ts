import { describe, expect, it } from 'vitest';
import { modelOf, updateOf } from '../../test/support/workflow-rig';
import type { Filter } from '../filters/filter';
import type { PlacedFilter } from '../filters/placed-filter';
import { seededTestNoise } from '../privacy/seeded-test-noise';
import type { SiteAnswer, Task } from '../protocol/messages';
import { filteredSites } from './filtered-sites';

const task: Task = { kind: 'train', round: 0, model: modelOf(1, 2) };
const never = new AbortController().signal;

/** A filter that returns what it was given, as one may that changes tensors in place. */
const filter: Filter = {
  name: 'here/same',
  accepts: ['weights', 'weight-diff'],
  apply: async (payload) => payload,
};
const onAll: PlacedFilter = { filter, tasks: undefined, sites: undefined };

async function answerThrough(
  outgoing: readonly PlacedFilter[],
  incoming: readonly PlacedFilter[],
): Promise<SiteAnswer> {
  const sites = filteredSites(
    {
      names: ['a'],
      async *broadcast(sent: Task) {
        const update = updateOf('a', sent, { kind: 'weight-diff', tensors: modelOf(3, 4), steps: 1 });
        yield {
          status: 'ok',
          site: 'a',
          update,
          spooled: '/spool/a',
          acknowledge: () => {},
          release: () => {},
        } as const;
      },
    },
    {
      outgoing,
      incoming,
      noise: () => seededTestNoise(1),
      ledger: { spent: () => 0, charge: async () => {} },
    },
  );
  for await (const answer of sites.broadcast(task, ['a'], { deadlineSeconds: 5, signal: never })) return answer;
  throw new Error('no answer');
}

describe("the server's filters", () => {
  it('leave the file of an update with it only where the journal would find the very same update in it', async () => {
    const elsewhere: PlacedFilter = { ...onAll, tasks: ['validate'] };
    expect(await answerThrough([], [elsewhere])).toHaveProperty('spooled', '/spool/a');
    expect(await answerThrough([], [onAll])).not.toHaveProperty('spooled');
    expect(await answerThrough([onAll], [])).not.toHaveProperty('spooled'); // It names the model that was sent.
  });

  it('keep the way to acknowledge an update, and give memory back only where no filter may have kept it', async () => {
    const filtered = await answerThrough([], [onAll]);
    expect(filtered).toHaveProperty('acknowledge');
    expect(filtered).not.toHaveProperty('release');
    expect(await answerThrough([onAll], [])).toHaveProperty('release');
  });
});
