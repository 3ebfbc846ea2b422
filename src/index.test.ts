import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import * as consilium from './index';

it('exports the names that were chosen, and no others', () => {
  expect(Object.keys(consilium).sort()).toEqual([
    'Brats18Recipe',
    'ConfigError',
    'ConsiliumError',
    'CrossSiteEvalRecipe',
    'CyclicRecipe',
    'DataError',
    'FedAvgRecipe',
    'FedEvalRecipe',
    'FedOptRecipe',
    'FedProxRecipe',
    'FedStatsRecipe',
    'FilterBlockedError',
    'MriTranslationRecipe',
    'PocEnv',
    'ProdEnv',
    'Recipe',
    'ScaffoldRecipe',
    'SimEnv',
    'UpdateRejectedError',
    'WorkflowRecipe',
    'aggregatorSpec',
    'askSites',
    'checkJobFile',
    'checkJobYaml',
    'createModel',
    'crossSiteMatrix',
    'deepSupervisionLoss',
    'defineAggregator',
    'defineData',
    'defineFilter',
    'defineModel',
    'defineTracker',
    'defineTrainer',
    'defineWorkflow',
    'describeModel',
    'diceOfCounts',
    'estimateMemory',
    'exportInferenceOnnx',
    'exportJob',
    'float32',
    'floatsOf',
    'initialise',
    'isConsiliumError',
    'jobFromYaml',
    'jobHash',
    'jobSchemaJson',
    'jobToYaml',
    'listModels',
    'loadModelFile',
    'lsganLoss',
    'mapFloats',
    'matchState',
    'meanMetrics',
    'modelState',
    'newTrainingState',
    'openAccumulatingTrainer',
    'openEvaluator',
    'openJointTrainer',
    'openPredictor',
    'openTrainer',
    'optimiserState',
    'parseJob',
    'randomStream',
    'readJobFile',
    'requireState',
    'roundSettings',
    'saveModelFile',
    'scheduleFactor',
    'scheduleSettings',
    'scheduledRate',
    'startRound',
    'statisticsOf',
    'strategyNames',
    'strategyOf',
    'strategyTakes',
    'tenStrategies',
    'validateUpdate',
    'weightedMean',
    'withAliases',
    'writeDiceLoss',
    'writeLossOf',
    'writeMetricOf',
    'z',
  ]);
});

it('has no effect when imported: nothing started, no package loaded but zod, no global touched but two of zod', () => {
  const script = `
    const globals = () => Object.getOwnPropertyNames(globalThis).concat(Object.getOwnPropertyNames(Reflect));
    const known = new Set([...globals(), ...Object.keys(require.cache)]);
    require('./src/index');
    const files = Object.keys(require.cache).filter((file) => !known.has(file));
    const names = files.map((file) => /.*node_modules[\\\\/]((@[^\\\\/]+[\\\\/])?[^\\\\/]+)/.exec(file)?.[1]);
    const own = files.map((file) => /src[\\\\/](.*)\\.ts$/.exec(file)?.[1]);
    console.log(JSON.stringify({
      simulator: own.includes('runtime/simulate'),
      added: globals().filter((name) => !known.has(name) && !name.startsWith('__zod_')),
      packages: [...new Set(names.filter((name) => name !== undefined))],
      handles: process.getActiveResourcesInfo().filter((kind) => kind !== 'PipeWrap'),
    }));`;
  const node = spawnSync('node', ['--require', 'ts-node/register/transpile-only', '--eval', script], {
    encoding: 'utf8',
  });
  // The others are loaded at first use: importing has to stay quick (npm run bench -- start).
  expect(JSON.parse(node.stdout || node.stderr)).toEqual({
    added: [],
    packages: ['zod'],
    simulator: false,
    handles: [],
  });
});
