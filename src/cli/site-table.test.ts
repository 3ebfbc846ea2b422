import { expect, it } from 'vitest';
import { siteTable } from './site-table';

it('a site whose startup kit is in use at two places has that in its line, and no other', () => {
  const site = { org: 'North', connected: true, seconds: 5, jobs: ['small-1'] };
  const lines = siteTable([
    { ...site, name: 'site-1', usedTwice: true },
    { ...site, name: 'site-2', jobs: [] },
  ]).split('\n');
  expect(lines[1]).toMatch(/^site-1 +North +connected .* small-1 .*in use at two places: stop one/);
  expect(lines[2]).toMatch(/^site-2 +North +connected +[^ ]+( s)?$/);
});
