import { expect, test } from 'vitest';
import {
  formatCount,
  formatDuration,
  formatEpsilon,
  formatLoss,
  formatNumber,
  formatScore,
  formatTime,
} from './format';
import { html, trusted } from './html';

test.each([
  [0, '0'],
  [0.001, '0.001'],
  [9.994, '9.99'],
  [999.6, '1000'],
  [70_333, '70\u202f333'],
  [4_232_005, '4.23 million'],
  [2.54e9, '2.54 billion'],
  [3e12, '3.00 trillion'],
  [1e20, '1.00e+20'],
  [Infinity, '∞'],
])('ε = %d reads %s', (epsilon, text) => {
  expect(formatEpsilon(epsilon)).toBe(text);
});

test.each([
  [0.4, '0.4 s'],
  [59, '59 s'],
  [131, '2 min 11 s'],
  [12_060, '3 h 21 min'],
])('%d seconds read %s', (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});

test('scores, losses, counts and other numbers', () => {
  expect([formatScore(0.61249), formatScore(null), formatScore(undefined)]).toEqual(['0.612', '–', '–']);
  expect([formatLoss(0.5), formatLoss(null)]).toEqual(['0.5000', '–']);
  expect([formatCount(999), formatCount(4_702_227)]).toEqual(['999', '4\u202f702\u202f227']);
  expect([formatNumber(12_345), formatNumber(0.123456), formatNumber(2.4e-8)]).toEqual([
    '12\u202f345',
    '0.1235',
    '2.40e-8',
  ]);
  expect(formatTime(new Date(0))).toBe('1970-01-01 00:00 UTC');
});

test('what is put into a template is escaped, HTML is not', () => {
  expect(html`<p title="${'"'}">${['<', html`<b>${'&'}</b>`]}${undefined}${false}${0}${trusted('<i>')}</p>`.html).toBe(
    '<p title="&quot;">&lt;<b>&amp;</b>0<i></p>',
  );
});
