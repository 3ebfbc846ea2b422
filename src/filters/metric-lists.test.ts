import { expect, it } from 'vitest';
import { testContext, weightDiff } from '../../test/support/filter-context';
import { payloadKinds } from '../jobs/filter-spec';
import type { Metrics } from '../protocol/payload';
import { allowMetrics, blockMetrics } from './metric-lists';

const payload = { ...weightDiff([[1]]), metrics: { val_dice: 0.5, val_dice_et: null, train_loss: 2 } };

async function metricsAfter(filter: ReturnType<typeof blockMetrics>): Promise<Metrics> {
  const sent = await filter.apply(payload, testContext());
  expect(sent).toEqual({ ...payload, metrics: sent.metrics });
  return sent.metrics;
}

it('blocked metrics do not leave, all others do', async () => {
  expect(await metricsAfter(blockMetrics({ metrics: ['train_*'] }))).toEqual({ val_dice: 0.5, val_dice_et: null });
  expect(await metricsAfter(blockMetrics({ metrics: ['val_dice', 'train_loss'] }))).toEqual({ val_dice_et: null });
  expect(await metricsAfter(blockMetrics({ metrics: ['other'] }))).toEqual(payload.metrics);
});

it('allowed metrics leave, no others do; an empty list allows none', async () => {
  expect(await metricsAfter(allowMetrics({ metrics: ['val_dice'] }))).toEqual({ val_dice: 0.5 });
  expect(await metricsAfter(allowMetrics({ metrics: [] }))).toEqual({});
});

it('stand before any kind of payload', () => {
  for (const filter of [blockMetrics({ metrics: ['a'] }), allowMetrics({ metrics: [] })]) {
    expect(filter.accepts).toEqual(payloadKinds);
  }
});

it('a list that blocks nothing is refused', () => {
  expect(() => blockMetrics({ metrics: [] })).toThrow(/options of filter 'block-metrics'/);
  expect(() => allowMetrics({ names: ['a'] } as never)).toThrow(/options of filter 'allow-metrics'/);
});
