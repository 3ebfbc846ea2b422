/**
 * Which sites take part in a round, and in what order: pure functions of the job's seed and the round, so a resumed run
 * draws the same.
 *
 * @module
 */
import { stream } from '../util/streams';

/** `count` of the sites, in the order of the job; all when there are no more. */
export function sampleSites(sites: readonly string[], count: number, seed: number, round: number): readonly string[] {
  if (count >= sites.length) return sites;
  const drawn = new Set(stream(seed, 'sites', round).permutation(sites.length).slice(0, count));
  return sites.filter((_, i) => drawn.has(i));
}

export type RelayOrder = 'fixed' | 'random' | 'random-no-repeat';

/** The sites in the order in which the model visits them in a round. */
export function relayOrder(
  order: RelayOrder,
  sites: readonly string[],
  seed: number,
  round: number,
): readonly string[] {
  if (order === 'fixed') return sites;
  if (order === 'random' || round === 0 || sites.length < 2) return drawn(sites, seed, round);
  // Of two sites, the one that does not follow itself is always the first one of the first round.
  if (sites.length === 2) return drawn(sites, seed, 0);
  const visits = drawn(sites, seed, round);
  // The last site of the round before: an exchange below never moves the last one.
  if (visits[0] !== drawn(sites, seed, round - 1).at(-1)) return visits;
  const other = 1 + (stream(seed, 'relay exchange', round).uint32() % (sites.length - 2));
  return visits.map((site, i) => (i === 0 ? visits[other]! : i === other ? visits[0]! : site));
}

function drawn(sites: readonly string[], seed: number, round: number): readonly string[] {
  return stream(seed, 'relay', round)
    .permutation(sites.length)
    .map((i) => sites[i]!);
}
