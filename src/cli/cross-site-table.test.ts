import { expect, it } from 'vitest';
import { crossSiteTable } from './cross-site-table';

it('has models in rows and sites in columns, and a dash where there is no score', () => {
  const table = crossSiteTable({
    keyMetric: 'val_dice',
    keyMetricMode: 'max',
    sites: ['a', 'site-2'],
    models: ['a', 'server/final'],
    scores: {
      a: { a: { val_dice: 0.5 }, 'site-2': null },
      'server/final': { a: { val_dice: null }, 'site-2': { val_dice: 1 } },
    },
  });
  expect(table).toEqual([
    'val_dice           a  site-2',
    'a             0.5000       –',
    'server/final       –  1.0000',
  ]);
});
