import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import * as consilium from './index';

it('exports the names that were chosen, and no others', () => {
  expect(Object.keys(consilium).sort()).toEqual([
    'Brats18Recipe',
    'ConsiliumError',
    'FedAvgRecipe',
    'SimEnv',
    'createModel',
    'describeModel',
    'estimateMemory',
    'exportInferenceOnnx',
    'float32',
    'initialise',
    'isConsiliumError',
    'jobFromYaml',
    'jobHash',
    'jobToYaml',
    'listModels',
    'loadModelFile',
    'lsganLoss',
    'matchState',
    'modelState',
    'newTrainingState',
    'openAccumulatingTrainer',
    'openJointTrainer',
    'openPredictor',
    'openTrainer',
    'parseJob',
    'requireState',
    'saveModelFile',
    'scheduleFactor',
    'scheduleSettings',
    'scheduledRate',
    'withAliases',
    'writeLossOf',
  ]);
});

it('has no effect when imported: nothing started, no runtime loaded, no global touched but two of zod', () => {
  const script = `
    const before = new Set(Object.getOwnPropertyNames(globalThis).concat(Object.getOwnPropertyNames(Reflect)));
    require('./src/index');
    const after = Object.getOwnPropertyNames(globalThis).concat(Object.getOwnPropertyNames(Reflect));
    const loaded = Object.keys(require.cache).filter((file) => /onnxruntime-node|echarts|tsyringe/.test(file));
    console.log(JSON.stringify({ added: after.filter((name) => !before.has(name) && !name.startsWith('__zod_')), loaded, handles: process.getActiveResourcesInfo().filter((kind) => kind !== 'PipeWrap') }));`;
  const node = spawnSync('node', ['--require', 'ts-node/register/transpile-only', '--eval', script], {
    encoding: 'utf8',
  });
  expect(JSON.parse(node.stdout || node.stderr)).toMatchObject({ added: [], loaded: [], handles: [] });
});
