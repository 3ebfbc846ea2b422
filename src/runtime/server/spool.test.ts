import { describe, expect, it } from 'vitest';
import { quickDisk } from '../../../test/support/sim/crash';
import { sha256Of } from '../../util/sha256';
import { createSpool } from './spool';

const bytes = (text: string) => Buffer.from(text);
const refOf = (text: string) => ({ sha256: sha256Of(bytes(text)), size: text.length });

describe('the spool of a job', () => {
  it('keeps what came of an answer, also over a restart, and drops what no round has asked for any more', async () => {
    const sim = quickDisk(1);
    const first = createSpool('/spool', sim.mount());
    const sink = first.sink('site-1', refOf('answer of round 0'));
    await sink.have();
    await sink.write([bytes('answer')], 0);
    await sink.close();
    const late = first.sink('site-2', refOf('late'));
    await late.have();
    await late.write([bytes('late')], 0);
    await late.finish();

    const spool = createSpool('/spool', sim.mount());
    const again = spool.sink('site-1', refOf('answer of round 0'));
    expect(await again.have()).toBe(6);
    await again.close();
    await spool.sweep(); // The round has ended, and nobody has asked for the answer of site-2.
    expect([...sim.files().keys()]).toEqual([`/spool/site-1/${refOf('answer of round 0').sha256}.part`]);
    await spool.sweep();
    expect([...sim.files().keys()]).toEqual([]);
    await spool.remove();
    await spool.sweep();
  });

  it('takes the answers of the next round while it is swept, also one that lies there from long ago', async () => {
    const left = refOf('left over');
    for (let operation = 0; operation < 12; operation++) {
      let sinks: Promise<unknown> = Promise.resolve();
      let counted = 0;
      const sim = quickDisk(1, {
        onOperation(_, when) {
          if (!sweeping || when !== 'before' || counted++ !== operation) return;
          sinks = Promise.all([take('next'), take('left over')]);
        },
      });
      let sweeping = false;
      const disk = sim.mount();
      const spool = createSpool('/spool', disk);
      const earlier = createSpool('/spool', disk).sink('site-1', left);
      await earlier.have();
      await earlier.write([bytes('left')], 0);
      await earlier.close();
      const take = async (text: string) => {
        const sink = spool.sink('site-1', refOf(text));
        const from = await sink.have();
        await sink.write([bytes(text).subarray(from)], from);
        await sink.finish();
      };
      sweeping = true;
      await spool.sweep();
      sweeping = false;
      if (counted <= operation) await Promise.all([take('next'), take('left over')]);
      await sinks;
      const files = sim.files();
      for (const text of ['next', 'left over']) {
        expect(String(files.get(`/spool/site-1/${refOf(text).sha256}`)), `${text}, at ${operation}`).toBe(text);
      }
    }
  });
});
