import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadModelFile, saveModelFile } from './model-file';
import { float32 } from './tensor';

const tensors = new Map([
  ['b', float32([2], [1, 2])],
  ['a', float32([], [3])],
]);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'model-file-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test.each(['model.safetensors', 'model.pt', 'model.PTH'])('writes and reads %s', async (name) => {
  await saveModelFile(join(folder, name), tensors);
  const { tensors: read, notes } = await loadModelFile(join(folder, name));
  expect([...read]).toEqual([...tensors]);
  expect(notes).toEqual([]);
});

test('says what was left out or widened', async () => {
  const golden = join(__dirname, '../../test/golden/torch');
  expect((await loadModelFile(join(golden, 'training.pt'))).notes).toEqual([
    "Only the weights under 'state_dict' were read; left out: optimizer, epoch, best, history, big, name, on.",
  ]);
  expect((await loadModelFile(join(golden, 'monai-saver.pt'))).notes).toEqual([
    "Only the weights under 'net' were read; left out: opt.",
  ]);
  expect((await loadModelFile(join(golden, 'dtypes.pt'))).notes).toEqual([
    '2 tensors in half precision were widened to float32.',
  ]);
});

test('names the file and keeps the hint when it cannot be read', async () => {
  const path = join(folder, 'model.pt');
  await expect(loadModelFile(path)).rejects.toMatchObject({ tag: 'DataError', file: path });
  await writeFile(path, 'not a model');
  await expect(loadModelFile(path)).rejects.toMatchObject({
    message: expect.stringContaining(`Cannot read the model '${path}': This is not a zip archive`),
    hint: 'Copy the file again from its source and compare checksums.',
  });
});

test('refuses an unknown extension, naming those it knows', async () => {
  await expect(loadModelFile('model.onnx')).rejects.toThrow(
    "ends in one of .safetensors, .pt, .pth, but got 'model.onnx'",
  );
  await expect(saveModelFile('model', tensors)).rejects.toMatchObject({ tag: 'ConfigError' });
});
