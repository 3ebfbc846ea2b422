/**
 * Jobs of a server in words.
 *
 * @module
 */

import { hasEnded, type JobDetails, type JobState, type JobSummary } from '../protocol/admin-api';
import { queueText, reasonText } from '../protocol/queue-text';
import { aligned } from './aligned';
import { outColours } from './colours';

export function stateText(state: JobState): string {
  const colour = { finished: outColours.green, failed: outColours.red, aborted: outColours.yellow };
  return state in colour ? colour[state as keyof typeof colour](state) : state;
}

/** What came of handing a job to the server, and what to do next. @param kit as a word of a shell */
export function submittedText(
  { job, state, created }: { readonly job: string; readonly state: JobState; readonly created: boolean },
  kit: string,
): string {
  const what = created ? 'submitted' : `was submitted before: ${stateText(state)}`;
  const anew = created || !hasEnded(state) ? '' : `  run it anew: npx consilium clone ${job} --kit ${kit}\n`;
  return `${job} ${what}\n  follow it: npx consilium logs ${job} --follow --kit ${kit}\n${anew}`;
}

/** A table, the newest job first. */
export function jobTable(jobs: readonly JobSummary[]): string {
  if (jobs.length === 0) return 'There are no jobs.\n';
  const rows = jobs.map(({ job, state, round, rounds, owner, submitted, waitsFor, reason }) => {
    const why = waitsFor ? queueText(waitsFor) : reason ? `${reason.code}: ${reason.message}` : '';
    return [job, state, `${round}/${rounds}`, owner, submitted.slice(0, 16).replace('T', ' '), shortened(why)];
  });
  return table([['job', 'state', 'rounds', 'owner', 'submitted', ''], ...rows]);
}

/** Longest reason in a table, characters; `show` has all of it. */
const longestWhy = 120;

function shortened(why: string): string {
  return why.length > longestWhy ? `${why.slice(0, longestWhy - 1)}…` : why;
}

/** Rows with columns of equal width. */
export function table(rows: readonly (readonly string[])[]): string {
  return aligned(rows, Number.POSITIVE_INFINITY)
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

/** All that is known of a job. */
export function jobText(job: JobDetails): string {
  const lines = [
    `${job.job}  ${stateText(job.state)}, round ${job.round} of ${job.rounds}`,
    ...(job.waitsFor ? [`waits: ${queueText(job.waitsFor)}`] : []),
    ...(job.reason ? [reasonText(job.reason)] : []),
    `owner ${job.owner}; signed by ${job.submitter} (${job.org})${job.clonedFrom ? `; a clone of ${job.clonedFrom}` : ''}`,
    `content ${job.hash}`,
    ...metricsLines(job.metrics),
    '',
    ...job.history.map(({ state, time, reason }) => `${time}  ${state}${reason ? `  ${reason.code}` : ''}`),
    '',
    ...job.sites.map(({ name, connected, verdict, reason }) => {
      const says = verdict === 'unknown' ? '' : `, ${verdict}${reason === '' ? '' : `: ${reason}`}`;
      return `${name}  ${connected ? 'connected' : 'not connected'}${says}`;
    }),
    ...(job.stalledSeconds === undefined ? [] : ['', `nothing has happened for ${Math.round(job.stalledSeconds)} s`]),
    ...job.waiting.map(
      ({ site, task, round, what, seconds }) =>
        `waiting for ${site}, for ${Math.round(seconds)} s: ${task} of round ${round}, ${what}`,
    ),
  ];
  return `${lines.join('\n')}\n`;
}

function metricsLines(metrics: JobDetails['metrics']): string[] {
  const text = metricsText(metrics);
  return text === '' ? [] : [text];
}

/** The first few metrics. */
export function metricsText(metrics: Readonly<Record<string, number | null>>): string {
  const shown = Object.entries(metrics)
    .filter(([name]) => !/_epoch_\d+$/.test(name))
    .slice(0, 6);
  return shown.map(([name, value]) => `${name} ${value === null ? '–' : Number(value.toPrecision(4))}`).join('  ');
}
