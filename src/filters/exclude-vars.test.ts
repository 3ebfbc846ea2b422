import { describe, expect, it } from 'vitest';
import { testContext } from '../../test/support/filter-context';
import type { Payload } from '../protocol/payload';
import { float32, type NamedTensors, type Tensor, tensor } from '../tensor/tensor';
import { excludeVars } from './exclude-vars';
import { applyFilters } from './filter';

const tensors: NamedTensors = new Map<string, Tensor>([
  ['conv.weight', float32([2], [1, 2])],
  ['head.weight', float32([2], [3, 4])],
  ['head.steps', tensor('int64', [1], BigInt64Array.of(5n))],
]);
const update: Payload = { kind: 'weight-diff', tensors, metrics: { loss: 1 }, steps: 3 };

describe('excluded tensors', () => {
  it('leave as zeros under their names, whatever their type; everything else as it is', async () => {
    const sent = await excludeVars({ names: ['head.*'] }).apply(update, testContext());
    expect([...sent.tensors.keys()]).toEqual([...tensors.keys()]);
    expect(sent.tensors.get('conv.weight')).toBe(tensors.get('conv.weight'));
    expect([...sent.tensors.get('head.weight')!.data]).toEqual([0, 0]);
    expect(sent.tensors.get('head.steps')).toMatchObject({ dtype: 'int64', shape: [1], data: BigInt64Array.of(0n) });
    expect(sent).toMatchObject({ kind: 'weight-diff', metrics: { loss: 1 }, steps: 3 });
    expect([...tensors.get('head.weight')!.data]).toEqual([3, 4]);
  });

  it('may be named exactly; a dot is a dot', async () => {
    const sent = await excludeVars({ names: ['conv.weight'] }).apply(update, testContext());
    expect([...sent.tensors.values()].map(({ data }) => [...data].map(Number))).toEqual([[0, 0], [3, 4], [5]]);
    expect(() => excludeVars({ names: ['conv_weight'] }).apply(update, testContext())).toThrow(/'conv_weight'/);
  });

  it('with a name that fits nothing block the update: what was meant would leave', () => {
    const filter = excludeVars({ names: ['conv.*', 'haed.*'] });
    expect(() => filter.apply(update, testContext())).toThrow(
      /no tensor of the update is named 'haed\.\*'\. Nothing was/,
    );
  });
});

it('metrics alone pass; full weights are refused, because zeros would be weights', async () => {
  const filter = excludeVars({ names: ['head.*'] });
  const metrics: Payload = { ...update, kind: 'metrics', tensors: new Map() };
  expect(await filter.apply(metrics, testContext())).toBe(metrics);
  await expect(applyFilters([filter], { ...update, kind: 'weights' }, testContext())).rejects.toThrow(
    /given a 'weights' payload, but accepts only weight-diff, metrics\. Nothing was sent/,
  );
});

it.each([[{ names: [] }], [{ names: [''] }], [{ names: ['a'], keep: 1 }], [{}]])(
  'refuses the options %j',
  (options) => {
    expect(() => excludeVars(options as never)).toThrow(/options of filter 'exclude-vars'/);
  },
);
