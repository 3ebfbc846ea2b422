import type { Clock } from '../../util/clock';

/** So often within a minute, one process of a site takes the place of another. Restarts alone do not come to that. */
const often = 3;
const minuteMs = 60_000;
/** Each site is told of at most so often, and counts as used twice for so long after the last sign of it. */
const quietMs = 10 * minuteMs;

export interface TwiceUsedKits {
  /** A process of the site has taken the place of another one that was connected. @returns whether somebody should hear of it now */
  replaced(site: string): boolean;
  /** Whether the kit of the site is in use at two places, by what was seen in the last ten minutes. */
  isUsedTwice(site: string): boolean;
}

interface Seen {
  readonly recentMs: readonly number[];
  /** When somebody was told of it last. */
  readonly toldMs: number;
  /** Last sign of it. */
  readonly signMs: number;
}

const nothing: Seen = { recentMs: [], toldMs: Number.NEGATIVE_INFINITY, signMs: Number.NEGATIVE_INFINITY };

/** Notices that a startup kit is in use at two places. */
export function twiceUsedKits(clock: Clock): TwiceUsedKits {
  const sites = new Map<string, Seen>();
  const seenOf = (site: string) => sites.get(site) ?? nothing;
  return {
    replaced(site) {
      const nowMs = clock.monotonicMs();
      const { recentMs: before, toldMs, signMs } = seenOf(site);
      const recentMs = [...before.filter((ms) => nowMs - ms < minuteMs), nowMs].slice(-often);
      const isSign = recentMs.length === often;
      const isNews = isSign && nowMs - toldMs >= quietMs;
      sites.set(site, { recentMs, toldMs: isNews ? nowMs : toldMs, signMs: isSign ? nowMs : signMs });
      return isNews;
    },
    isUsedTwice: (site) => clock.monotonicMs() - seenOf(site).signMs < quietMs,
  };
}
