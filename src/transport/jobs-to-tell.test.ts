import { describe, expect, it } from 'vitest';
import { mostJobsOfHello, type SiteJobState, siteJobState } from '../protocol/wire/messages';
import { jobsToTell } from './jobs-to-tell';

const some = (count: number, state: SiteJobState['state']): SiteJobState[] =>
  Array.from({ length: count }, (_, i) => ({ job: `${state}-${i}`, state, working: [], answers: [] }));
const names = (states: readonly SiteJobState[]) => states.map(({ job }) => job);

describe('what a site tells of its jobs when it connects', () => {
  it('are those that it takes part in, and never those that have ended', () => {
    const states = [...some(3, 'ended'), ...some(2, 'accepted')];
    expect(names(jobsToTell(states))).toEqual(['accepted-0', 'accepted-1']);
  });

  it('leaves refused jobs for the next time, the later ones first, where a hello has no room for all', () => {
    const told = jobsToTell([...some(2000, 'refused'), ...some(1000, 'accepted')]);
    expect(siteJobState.array().max(mostJobsOfHello).safeParse(told).success).toBe(true);
    expect(names(told).filter((name) => name.startsWith('accepted'))).toHaveLength(1000);
    expect(names(told).slice(1000)).toEqual(names(some(24, 'refused')));
  });

  it('is an error that says what to do, when there are more jobs under way than it can hold', () => {
    expect(jobsToTell(some(1024, 'accepted'))).toHaveLength(1024);
    expect(() => jobsToTell(some(1025, 'accepted'))).toThrow(
      expect.objectContaining({
        message: expect.stringContaining(
          'takes part in 1025 jobs that have not ended, and can tell its server of 1024',
        ),
        hint: expect.stringContaining('move the folders of jobs whose state in `consilium jobs` is finished'),
      }),
    );
  });
});
