import { expect, it } from 'vitest';
import { relayOrder, sampleSites } from './sampling';

const sites = ['a', 'b', 'c', 'd', 'e'];
const rounds = Array.from({ length: 200 }, (_, round) => round);

it('draws as many sites as asked, anew for each round, in the order of the job', () => {
  const draws = rounds.map((round) => sampleSites(sites, 2, 7, round));
  for (const drawn of draws) expect(sites.filter((site) => drawn.includes(site))).toEqual(drawn);
  const counts = sites.map((site) => draws.filter((drawn) => drawn.includes(site)).length);
  for (const count of counts) expect(Math.abs(count - 80)).toBeLessThan(25); // 200 · 2/5, four deviations
  expect(sampleSites(sites, 2, 7, 3)).toEqual(draws[3]);
  expect(sampleSites(sites, 9, 7, 3)).toEqual(sites);
});

it('keeps the order of the job when it is fixed, and draws every order when it is random', () => {
  expect(relayOrder('fixed', sites, 7, 3)).toEqual(sites);
  const orders = rounds.map((round) => relayOrder('random', sites.slice(0, 3), 7, round).join(''));
  expect(new Set(orders).size).toBe(6);
});

it.each([1, 2, 3, 5])('never lets a site follow itself, with %i sites', (count) => {
  const some = sites.slice(0, count);
  const orders = rounds.map((round) => relayOrder('random-no-repeat', some, 7, round));
  for (const order of orders) expect([...order].sort()).toEqual(some);
  const repeats = rounds.slice(1).filter((round) => orders[round]![0] === orders[round - 1]!.at(-1));
  expect(repeats.length).toBe(count === 1 ? rounds.length - 1 : 0);
});
