import { describe, expect, it } from 'vitest';
import { MersenneTwister } from '../util/mersenne-twister';
import { NormalSource } from './normal-source';

/** What torch.manual_seed(0) and normal_(0, 1) give. */
const torch = {
  three: [1.5409960746765137, -0.293428897857666, -2.1787893772125244],
  fourth: 0.5684312582015991,
  twenty: { first: [-1.1258398294448853, -1.152360200881958], last: [2.0049805641174316, 0.05373690277338028] },
};

describe('NormalSource', () => {
  it('draws few numbers in pairs and keeps the second of a pair for the next tensor', () => {
    const source = new NormalSource(new MersenneTwister(0));
    expect([...source.draw(3, 0, 1)]).toEqual(torch.three);
    expect([...source.draw(1, 0, 1)]).toEqual([torch.fourth]);
  });

  it('draws many numbers in blocks of sixteen, and the last block anew', () => {
    const drawn = [...new NormalSource(new MersenneTwister(0)).draw(20, 0, 1)];
    for (const [i, x] of torch.twenty.first.entries()) expect(drawn[i]).toBeCloseTo(x, 6);
    for (const [i, x] of torch.twenty.last.entries()) expect(drawn[18 + i]).toBeCloseTo(x, 6);
  });

  it('scales by the deviation and shifts by the mean', () => {
    const drawn = new NormalSource(new MersenneTwister(0)).draw(3, 1, 0.02);
    expect(drawn[0]).toBeCloseTo(1 + 0.02 * torch.three[0]!, 6);
  });
});
