import { describe, expect, it } from 'vitest';
import { testContext, weightDiff } from '../../test/support/filter-context';
import type { Payload } from '../protocol/payload';
import { applyFilters, type Filter } from './filter';

function named(name: string, apply: Filter['apply'], accepts: Filter['accepts'] = ['weight-diff']): Filter {
  return { name, accepts, apply };
}

const addSteps = (n: number): Filter => named(`add-${n}`, (payload) => ({ ...payload, steps: payload.steps * 10 + n }));

describe('applyFilters', () => {
  it('applies filters one after the other, in order, waiting for each', async () => {
    const slow = named('slow', async (payload) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return { ...payload, steps: payload.steps * 10 + 2 };
    });
    const result = await applyFilters([addSteps(1), slow, addSteps(3)], weightDiff([[1]], 0), testContext());
    expect(result.steps).toBe(123);
  });

  it('returns the payload itself when there are no filters', async () => {
    const payload = weightDiff([[1]]);
    expect(await applyFilters([], payload, testContext())).toBe(payload);
  });

  it('blocks a kind of payload that a filter does not accept, and does not call it', async () => {
    const never = named('never', () => expect.unreachable(), ['weights']);
    await expect(applyFilters([never], weightDiff([[1]]), testContext())).rejects.toThrow(
      /'never' was given a 'weight-diff' payload, but accepts only weights/,
    );
  });

  it('checks acceptance again after each filter and blocks a filter that changes the kind', async () => {
    const turncoat = named('turncoat', (payload): Payload => ({ ...payload, kind: 'weights' }));
    await expect(applyFilters([turncoat], weightDiff([[1]]), testContext())).rejects.toThrow(/returned 'weights'/);
  });

  it('lets the error of a filter through and calls no later filter', async () => {
    const failing = named('failing', () => {
      throw new Error('out of budget');
    });
    const never = named('never', () => expect.unreachable());
    await expect(applyFilters([failing, never], weightDiff([[1]]), testContext())).rejects.toThrow('out of budget');
  });

  it('stops when it is aborted', async () => {
    const context = testContext({ signal: AbortSignal.abort(new Error('stopped')) });
    await expect(applyFilters([addSteps(1)], weightDiff([[1]]), context)).rejects.toThrow('stopped');
  });
});
