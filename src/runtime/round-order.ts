import type { RunEvent } from '../jobs/environment';

/**
 * Holds back what the sites of a round do until the round was announced: its sites are at work already while the round before
 * goes to disk.
 */
export function inRoundOrder(emit: (event: RunEvent) => void): (event: RunEvent) => void {
  let announced = Number.NEGATIVE_INFINITY;
  let early: RunEvent[] = [];
  return function pass(event) {
    if ((event.kind === 'progress' || event.kind === 'site-failed') && event.round > announced) {
      early.push(event);
      return;
    }
    emit(event);
    if (event.kind !== 'round-started') return;
    announced = event.round;
    const due = early;
    early = [];
    for (const one of due) pass(one);
  };
}
