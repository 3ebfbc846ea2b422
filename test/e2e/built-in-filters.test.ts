import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { towardsTarget } from '../../examples/hello-fedavg/towards-target';
import { FedAvgRecipe, type FedAvgRecipeOptions } from '../../src/recipes/fed-avg-recipe';
import { SimEnv } from '../../src/runtime/sim-env';
import { decodeSafetensors } from '../../src/tensor/safetensors';

let workspace: string;
beforeAll(async () => {
  workspace = await mkdtemp(join(tmpdir(), 'consilium-filters-'));
});
afterAll(() => rm(workspace, { recursive: true }));

function run(filters: NonNullable<FedAvgRecipeOptions['filters']>) {
  const recipe = new FedAvgRecipe({
    name: 'filters',
    sites: 2,
    rounds: 2,
    model: { kind: 'tensors', tensors: { weight: [2], bias: [2] }, start: 'zeros' },
    trainer: towardsTarget({ rate: 0.5 }),
    siteConfig: { 'site-1': 1, 'site-2': 3 },
    keyMetric: 'error',
    keyMetricMode: 'min',
    filters,
  });
  return recipe.execute(new SimEnv({ workspace })).result();
}

it('excluded tensors stay in the model as the job started them, and blocked metrics reach nobody', async () => {
  const { files, final, history } = await run([
    { at: 'site-out', filter: { kind: 'exclude-vars', names: ['b*'] } },
    { at: 'site-out', sites: ['site-2'], filter: { kind: 'block-metrics', metrics: ['error'] } },
  ]);
  const { tensors } = decodeSafetensors(readFileSync(files.final_safetensors!));
  expect([...tensors].map(([name, { data }]) => [name, [...data]])).toEqual([
    ['weight', [1.5, 1.5]],
    ['bias', [0, 0]],
  ]);
  expect(history[0]!.sites.map(({ metrics }) => metrics)).toEqual([{ error: 1 }, {}]);
  expect(final.metrics).toEqual({ error: 0.625 });
});

it('the largest changes are labelled as not differentially private in the ledger and in the report', async () => {
  const { files } = await run([{ at: 'site-out', tasks: ['train'], filter: { kind: 'percentile', gamma: 1 } }]);
  const [entry] = readFileSync(files.privacy_ledger!, 'utf8').trim().split('\n');
  expect(JSON.parse(entry!)).toMatchObject({ mechanism: 'percentile', differentiallyPrivate: false });
  expect(readFileSync(files.report!, 'utf8')).toMatch(/not differentially private/i);
});
