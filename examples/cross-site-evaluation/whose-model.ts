/**
 * Whose model serves whom? Three sites fit a line to data of their own; then every site's own model and the federation's are
 * scored at every site. The federation's is never far off, a site's own is good at home only.
 *
 *     npx ts-node examples/cross-site-evaluation/whose-model.ts
 */
import { CrossSiteEvalRecipe, crossSiteMatrix, SimEnv } from '../../src';
import { fitLine } from './fit-line';

async function main(): Promise<void> {
  const recipe = new CrossSiteEvalRecipe({
    name: 'whose-model',
    sites: ['young', 'adult', 'old'],
    rounds: 8,
    model: { kind: 'tensors', tensors: { line: [2] } },
    trainer: fitLine({ steps: 200, rate: 0.5 }),
    siteConfig: { young: [0, 0.4], adult: [0.3, 0.7], old: [0.6, 1] },
    keyMetric: 'error',
    keyMetricMode: 'min',
    folder: __dirname,
  });
  const { results, files } = await recipe.execute(new SimEnv()).result();
  const { models, sites, scores } = crossSiteMatrix(results)!;
  console.log('model         ', ...sites);
  for (const model of models) {
    console.log(model.padEnd(14), ...sites.map((site) => scores[model]?.[site]?.error?.toFixed(3)));
  }
  console.log(files.report);
}

void main();
