import { describe, expect, it } from 'vitest';
import { simProcess, simTime } from '../../../test/support/sim/clock';
import { twiceUsedKits } from './twice-used-kits';

/** At which of these seconds somebody is told that the processes of site-1 take each other's place. */
async function toldAt(seconds: readonly number[]): Promise<number[]> {
  const time = simTime();
  const kits = twiceUsedKits(simProcess(time).clock);
  const told: number[] = [];
  for (const second of seconds) {
    await time.runFor(second * 1000 - time.nowMs);
    if (kits.replaced('site-1')) told.push(second);
    if (second === 2) kits.replaced('site-2'); // Of each site by itself.
  }
  return told;
}

describe('a startup kit that is in use at two places', () => {
  it('is told of with the third time within a minute that one takes the place of the other', async () => {
    expect(await toldAt([1, 2, 3, 4])).toEqual([3]);
    expect(await toldAt([1, 2, 61, 62, 90])).toEqual([90]);
  });

  it('is told of every ten minutes while it goes on', async () => {
    expect(await toldAt(Array.from({ length: 100 }, (_, i) => i * 20))).toEqual([40, 640, 1240, 1840]);
  });

  it('counts as that from the third time on, until ten minutes after the last', async () => {
    const time = simTime();
    const kits = twiceUsedKits(simProcess(time).clock);
    const isUsedTwice = async (afterSeconds: number) => {
      await time.runFor(afterSeconds * 1000);
      return [kits.isUsedTwice('site-1'), kits.isUsedTwice('site-2')];
    };
    for (const _ of [1, 2]) kits.replaced('site-1');
    expect(await isUsedTwice(0)).toEqual([false, false]);
    kits.replaced('site-1');
    expect(await isUsedTwice(0)).toEqual([true, false]);
    await time.runFor(30_000);
    kits.replaced('site-1'); // Nobody is told of it again, but it goes on.
    expect(await isUsedTwice(599)).toEqual([true, false]);
    expect(await isUsedTwice(1)).toEqual([false, false]);
  });

  it('is not what a site is that was restarted now and then', async () => {
    expect(await toldAt([1, 2, 100, 101, 200, 300])).toEqual([]);
  });
});
