import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type JobInput, parseJob } from '../jobs/job-spec';
import { createModel, initialise } from '../nn/model';
import { saveModelFile } from '../tensor/model-file';
import { floatsOf, mapFloats, type NamedTensors, type Tensor } from '../tensor/tensor';
import { startingModel } from './starting-model';

const folder = mkdtempSync(join(tmpdir(), 'consilium-start-'));
afterAll(() => rmSync(folder, { recursive: true }));

const network = { kind: 'segresnet', initFilters: 8, blocksDown: [1, 1], blocksUp: [1] } as const;
const drawn = initialise(createModel(network), 5);
const other = mapFloats(drawn, (x) => x + 1);

beforeAll(async () => {
  await saveModelFile(join(folder, 'model.safetensors'), other);
  await saveModelFile(join(folder, 'model.pt'), other);
  await saveModelFile(join(folder, 'wide.safetensors'), new Map([...other].map(wider)));
  await saveModelFile(join(folder, 'part.safetensors'), new Map([...other].slice(1)));
});

function wider([name, tensor]: readonly [string, Tensor]): [string, Tensor] {
  return [name, name === 'convInit.conv.weight' ? { ...tensor, shape: [1, ...tensor.shape] } : tensor];
}

/** The model that a job with these fields starts from, and what was odd about it. */
function start(model: JobInput['model'], more: object = {}) {
  const job = parseJob({
    version: 1,
    name: 'start',
    sites: ['a'],
    workflow: { kind: 'fed-avg', rounds: 1, minSites: 1 },
    trainer: { kind: 'script', script: './client.ts' },
    model,
    ...more,
  });
  const notes: string[] = [];
  return startingModel(job, folder, (note) => notes.push(note)).then((tensors) => ({ tensors, notes }));
}

const numbers = (tensors: NamedTensors) =>
  [...tensors].map(([name, tensor]) => [name, tensor.shape, [...floatsOf(tensor)]]);

describe('a network starts', () => {
  const mutable = { ...network, blocksDown: [...network.blocksDown], blocksUp: [...network.blocksUp] };

  it("from numbers drawn from the job's seed", async () => {
    expect(numbers((await start(mutable, { seed: 5 })).tensors)).toEqual(numbers(drawn));
    expect(numbers((await start(mutable, { seed: 6 })).tensors)).not.toEqual(numbers(drawn));
  });

  it.each(['model.safetensors', 'model.pt'])('from the tensors of %s beside the job', async (file) => {
    const { tensors } = await start(mutable, { initialCheckpoint: `./${file}` });
    expect(numbers(tensors)).toEqual(numbers(other));
  });

  it.each([
    ['wide.safetensors', 'convInit'],
    ['part.safetensors', [...other.keys()][0]!],
    ['none.safetensors', 'ENOENT'],
    ['model.h5', '.safetensors, .pt'],
  ])('not from %s, whose fault is told with the file', async (file, fault) => {
    const failed = start(mutable, { initialCheckpoint: file });
    await expect(failed).rejects.toThrow(fault);
    await expect(failed).rejects.toThrow(file);
  });
});

describe('tensors of training code of one’s own start', () => {
  const tensors = { weight: [2, 3], scalar: [], empty: [0] };

  it('as zeros of the given shapes', async () => {
    const made = (await start({ kind: 'tensors', tensors })).tensors;
    expect(numbers(made)).toEqual([
      ['weight', [2, 3], [0, 0, 0, 0, 0, 0]],
      ['scalar', [], [0]],
      ['empty', [0], []],
    ]);
  });

  it('as standard normal numbers that follow from the seed', async () => {
    const normal = async (seed: number) => {
      const { tensors } = await start({ kind: 'tensors', tensors: { w: [10_000] }, start: 'normal' }, { seed });
      return [...floatsOf(tensors.get('w')!)];
    };
    const all = await normal(3);
    const mean = all.reduce((sum, x) => sum + x, 0) / all.length;
    const variance = all.reduce((sum, x) => sum + (x - mean) ** 2, 0) / all.length;
    // Within five standard errors.
    expect(Math.abs(mean)).toBeLessThan(0.05);
    expect(Math.abs(variance - 1)).toBeLessThan(0.07);
    expect(await normal(3)).toEqual(all);
    expect(await normal(4)).not.toEqual(all);
  });

  it.each(['model.safetensors', 'model.pt'])('as those of %s, whatever their names', async (file) => {
    expect(numbers((await start({ kind: 'checkpoint', file })).tensors)).toEqual(numbers(other));
  });

  it('not from a file that is no model', async () => {
    writeFileSync(join(folder, 'text.safetensors'), 'a poem');
    await expect(start({ kind: 'checkpoint', file: 'text.safetensors' })).rejects.toMatchObject({ tag: 'DataError' });
  });

  it.each([
    ['more numbers than memory', { kind: 'tensors', tensors: { a: [2 ** 16, 2 ** 16] } }, 'more than 2^31 numbers'],
    ['a negative length', { kind: 'tensors', tensors: { a: [-1] } }, 'model.tensors.a.0'],
    ['no tensors', { kind: 'tensors', tensors: {} }, 'the job has no model'],
  ])('not with %s', async (_, model, message) => {
    expect(() => start(model as JobInput['model'])).toThrow(message);
  });

  it('not from an initial checkpoint, which is for networks', () => {
    const model = { kind: 'tensors', tensors } as const;
    expect(() => start({ ...model, tensors: { ...tensors } }, { initialCheckpoint: 'x.pt' })).toThrow(
      "use kind 'checkpoint' with 'file'",
    );
  });
});
