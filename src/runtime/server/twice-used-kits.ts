import type { Clock } from '../../util/clock';

/** So often within a minute, one process of a site takes the place of another. Restarts alone do not come to that. */
const often = 3;
const minuteMs = 60_000;
/** Each site is told of at most so often. */
const quietMs = 10 * minuteMs;

/**
 * Notices that a startup kit is in use at two places. What is returned is told of each time that a process of a site takes the
 * place of another one that was connected, and says whether somebody should hear of it now.
 */
export function twiceUsedKits(clock: Clock): (site: string) => boolean {
  const sites = new Map<string, { recentMs: readonly number[]; toldMs: number }>();
  return (site) => {
    const nowMs = clock.monotonicMs();
    const { recentMs: before, toldMs } = sites.get(site) ?? { recentMs: [], toldMs: Number.NEGATIVE_INFINITY };
    const recentMs = [...before.filter((ms) => nowMs - ms < minuteMs), nowMs].slice(-often);
    const isNews = recentMs.length === often && nowMs - toldMs >= quietMs;
    sites.set(site, { recentMs, toldMs: isNews ? nowMs : toldMs });
    return isNews;
  };
}
