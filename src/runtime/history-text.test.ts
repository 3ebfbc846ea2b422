import { describe, expect, it } from 'vitest';
import { toJson } from '../util/exact-json';
import { historyTexts } from './history-text';
import type { RoundLine } from './round-line';

const line = (round: number, time = 'now'): RoundLine => ({
  ...{ round, metrics: { val_dice: round / 7, loss: null }, seconds: round + 0.5, time },
  sites: [{ name: 'site-1', status: 'ok', steps: round }],
});
const written = (history: readonly RoundLine[]) => history.map((one) => toJson(one)).join(',\n');

describe('the text of a history', () => {
  it('is that of its lines, however long it grows', () => {
    const textOf = historyTexts();
    const history: RoundLine[] = [];
    for (let round = 0; round < 333; round++) {
      history.push(line(round));
      expect(textOf(history)).toBe(written(history));
    }
  });

  it('is that of another history too: one that went back, and one that is new', () => {
    const textOf = historyTexts();
    const long = Array.from({ length: 200 }, (_, round) => line(round));
    textOf(long);
    const back = [...long.slice(0, 70), ...Array.from({ length: 100 }, (_, i) => line(70 + i, 'later'))];
    for (const history of [back, long, [], long.map((one) => ({ ...one, time: 'another' })), long.slice(0, 30)])
      expect(textOf(history)).toBe(written(history));
  });

  it('is not made of a line that could not be read again', () => {
    const half = { ...line(3), sites: [{ name: 'site-1', status: 'ok' as const, steps: 1.5 }] };
    expect(() => historyTexts()([line(2), half])).toThrow(/report of round 3 cannot be kept/);
  });
});
