import { describe, expect, it } from 'vitest';
import { matches, rows, titleOf } from '../../bench/train/rows';
import { train } from '../../bench/train/train';

describe('the training benchmark', () => {
  it('refuses a filter that no row has in its title, and lists the rows', async () => {
    await expect(train('zzz')).rejects.toThrow(/--only zzz: no row has .*\n {2}segresnet-step 1x4x32x32x32\n/);
  });

  it.each([
    ['32³', ['segresnet-step 1x4x32x32x32']],
    ['64x64x64', ['segresnet-step 1x4x64x64x64', 'segresnet-inference 1x4x64x64x64']],
    ['SegResNet-Step 64^3', ['segresnet-step 1x4x64x64x64']],
    ['inference 1×4×64×64×64', ['segresnet-inference 1x4x64x64x64']],
    ['unet-step', ['unet-step 4x1x240x240']],
    ['240×240×160', ['segresnet-inference 1x4x240x240x160']],
    ['24', []],
    ['', rows.map(titleOf)],
  ])('takes %j as the rows %j', (only, titles) => {
    expect(rows.filter((row) => matches(row, only)).map(titleOf)).toEqual(titles);
  });
});
