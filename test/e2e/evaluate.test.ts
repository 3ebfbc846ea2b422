import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Brats18Recipe, type RunResult, SimEnv } from '../../src';
import { readNifti } from '../../src/imaging/nifti/read-nifti';
import { runProgram } from '../support/run-program';

const workspace = mkdtempSync(join(tmpdir(), 'consilium-evaluate-'));
afterAll(() => rmSync(workspace, { recursive: true }));

const phantom = { casesPerSite: 1, validationCases: 2, shape: [32, 32, 32] } as const;

function evaluate(...args: readonly string[]) {
  return runProgram('node', ['bin/consilium.js', 'evaluate', ...args]);
}

let result: RunResult;
let data: readonly string[];
beforeAll(async () => {
  const recipe = new Brats18Recipe({
    name: 'tiny',
    nClients: 1,
    rounds: 1,
    roi: [8, 8, 8],
    inferRoi: [16, 16, 16],
    data: phantom,
  });
  result = await recipe.execute(new SimEnv({ workspace })).result();
  const [folder] = readdirSync(join(workspace, 'data'));
  const base = join(workspace, 'data', folder!);
  data = ['--dataset_base_dir', base, '--datalist_json_path', join(base, 'datalist')];
});

describe('consilium evaluate', () => {
  it('scores the final model as the run did, with the window of the run', async () => {
    const masks = join(workspace, 'masks');
    const { status, stdout } = await evaluate('--model', result.files.final_pt!, ...data, '--masks', masks, '--json');
    expect(status).toBe(0);
    const found = JSON.parse(stdout);
    expect(found).toMatchObject({ cases: 2, inferRoi: [16, 16, 16], masks });
    expect(found.overall.dice).toBeCloseTo(result.final.metrics.val_dice!, 6);
    expect(found.warning).toContain('2 of 2 cases were also used to choose');
    expect(readdirSync(masks)).toHaveLength(2);
  });

  it('writes the masks on the grid of the images, and prints the table of the original', async () => {
    const masks = join(workspace, 'more-masks');
    const { stdout, stderr } = await evaluate('--model', result.files.best_safetensors!, ...data, '--masks', masks);
    expect(stdout).toMatch(
      /^Test Dice {6}0\.\d{4} {3}Valid count: \d\nTest Dice TC .*\nTest Dice WT .*\nTest Dice ET .*\nWindows of 16×16×16; /,
    );
    expect(stderr).toContain('warning: 2 of 2 cases were also used to choose');
    for (const file of readdirSync(masks)) {
      const name = file.replace('_pred.nii.gz', '');
      const grades = ['HGG', 'LGG'].map((grade) => join(data[1]!, 'training', grade, name, `${name}_flair.nii.gz`));
      const image = grades.find((path) => existsSync(path))!;
      const [mask, given] = await Promise.all([join(masks, file), image].map((path) => readNifti(path)));
      expect(mask!.shape).toEqual(given!.shape);
      expect(mask!.affine).toEqual(given!.affine);
      expect([...new Set(mask!.data)].every((label) => [0, 1, 2, 4].includes(Number(label)))).toBe(true);
    }
  });

  it('takes the published window for a model that lies in no run, and the one that is asked for', async () => {
    const alone = join(workspace, 'alone', 'model.pt');
    cpSync(result.files.final_pt!, alone, { recursive: true });
    const { stdout } = await evaluate('--model', alone, ...data, '--infer_roi_size', '32', '32', '32', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ inferRoi: [32, 32, 32] });
    expect(existsSync(join(dirname(alone), 'predictions'))).toBe(true);
    expect((await evaluate('--help')).stdout).toMatch(/else\s+240 240 160/);
  });
});
