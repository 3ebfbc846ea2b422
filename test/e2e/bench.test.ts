import { describe, expect, it } from 'vitest';
import { train } from '../../bench/train/train';

describe('the training benchmark', () => {
  it('refuses a filter that no row has in its title, and lists the rows', async () => {
    await expect(train('zzz')).rejects.toThrow(/--only zzz: no row has .*\n {2}segresnet-step 1×4×32×32×32\n/);
  });
});
