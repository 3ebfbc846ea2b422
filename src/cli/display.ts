/**
 * A run on the terminal: live bars for every site where there is a terminal, plain lines where there is none.
 *
 * @module
 */
import { MultiBar, type SingleBar } from 'cli-progress';
import type { RunEvent } from '../jobs/environment';
import type { JobSpec } from '../jobs/job-spec';
import { workflowTraits } from '../jobs/workflow-spec';
import { counted } from '../util/counted';
import { type Colours, coloursOf } from './colours';
import { describeRound, describeScore, formatDuration } from './describe-round';

export interface Display {
  show(event: RunEvent): void;
  /** Leaves the terminal to others: what is shown after that is plain lines, and nothing above them is drawn over. */
  close(): void;
}

/** @param stream where the display goes; bars only when it is a terminal. */
export function createDisplay(job: JobSpec, stream: NodeJS.WriteStream): Display {
  return stream.isTTY ? liveDisplay(job, stream) : plainDisplay(job, stream);
}

function plainDisplay(job: JobSpec, stream: NodeJS.WriteStream): Display {
  const colours = coloursOf(stream);
  const eta = roundClock(job, colours);
  return {
    show(event) {
      if (event.kind === 'progress') return;
      eta.note(event);
      for (const line of linesOf(event, job, colours)) stream.write(`${line}${eta.after(event)}\n`);
    },
    close() {},
  };
}

function liveDisplay(job: JobSpec, stream: NodeJS.WriteStream): Display {
  const colours = coloursOf(stream);
  const bars = new MultiBar(
    {
      stream,
      format: '  {site}  {bar}  {phase}',
      barsize: 28,
      hideCursor: true,
      clearOnComplete: true,
      gracefulExit: false, // Who hears the signal closes the display.
      barCompleteChar: '━',
      barIncompleteChar: '┄',
      autopadding: true,
    },
    undefined,
  );
  const eta = roundClock(job, colours);
  const { rounds } = workflowTraits(job.workflow);
  const plain = plainDisplay(job, stream);
  let score = '';
  let closed = false;
  const whole = bars.create(rounds, 0, { site: '', phase: 'starting' }, { format: `  ${colours.bold('{phase}')}` });
  const bySite = new Map<string, SingleBar>();
  return {
    show(event) {
      if (closed) return plain.show(event);
      eta.note(event);
      if (event.kind === 'round-started') showRound(event.round);
      if (event.kind === 'progress') showProgress(event);
      if (event.kind === 'round-finished') score = describeScore(event.metrics, job);
      for (const line of linesOf(event, job, colours)) printWhole(line + eta.after(event));
      if (event.kind === 'done') close();
    },
    close,
  };

  function close(): void {
    if (closed) return;
    closed = true;
    bars.update(); // Lines that still wait are written; stopping would drop them.
    bars.stop();
  }

  /** Long lines go on in the next one; the bars' own output would cut them. */
  function printWhole(line: string): void {
    const width = Math.max(20, (stream.columns ?? 80) - 1);
    for (let at = 0; at < line.length; at += width) bars.log(`${line.slice(at, at + width).padEnd(width)}\n`);
  }

  function showRound(round: number): void {
    const what = round < rounds ? `round ${round} (${round + 1}/${rounds})` : 'validating the finished model';
    whole.update(Math.min(round, rounds), { phase: `${what}${score}${eta.left(round)}` });
  }

  function showProgress({ site, phase, done, total, loss }: Extract<RunEvent, { kind: 'progress' }>): void {
    const what = phase === 'train' ? `step ${done}/${total}` : `validation ${done}/${total}`;
    const payload = { site, phase: loss === undefined ? what : `${what}  loss ${loss.toFixed(3)}` };
    const bar = bySite.get(site) ?? bars.create(total, 0, payload);
    bySite.set(site, bar);
    bar.setTotal(total);
    bar.update(done, payload);
  }
}

function linesOf(event: RunEvent, job: JobSpec, { bold, yellow }: Colours): string[] {
  switch (event.kind) {
    case 'started': {
      const { slots, resumedAt } = event;
      const { rounds } = workflowTraits(job.workflow);
      const from = resumedAt === undefined ? '' : `, continued after ${resumedAt} finished`;
      const atATime = slots === 0 ? '' : `, ${slots} at a time`; // A server does not know.
      const size = `${counted(job.sites.length, 'site')}, ${counted(rounds, 'round')}${from}${atATime}`;
      return [`${bold(job.name)}: ${size}; files in ${event.folder}`];
    }
    case 'log': {
      const text = event.site === undefined ? event.message : `${event.site}: ${event.message}`;
      return [event.level === 'warn' ? yellow(text) : text];
    }
    case 'site-lost':
      return [yellow(`${event.site}: ${event.reason}; its next task starts anew`)];
    case 'site-failed':
      return [yellow(`${event.site} has no part in the ${event.task} task of round ${event.round}: ${event.reason}`)];
    case 'round-finished':
      return [describeRound(event, job)];
    default:
      return [];
  }
}

/** Estimates the time left from the rounds seen so far. */
function roundClock(job: JobSpec, { dim }: Colours) {
  const seconds: number[] = [];
  return {
    note(event: RunEvent): void {
      if (event.kind === 'round-finished') seconds.push(event.seconds);
    },
    after(event: RunEvent): string {
      return event.kind === 'round-finished' && !event.final ? dim(this.left(event.round + 1)) : '';
    },
    /** The time that the rounds from `round` on will take, once one round has been seen. */
    left(round: number): string {
      const rounds = workflowTraits(job.workflow).rounds - round;
      const mean = seconds.reduce((a, b) => a + b, 0) / seconds.length;
      return rounds > 0 && seconds.length > 0 ? `  ETA ${formatDuration(rounds * mean)}` : '';
    },
  };
}
