import type { RunEvent } from '../jobs/environment';
import type { JobSpec } from '../jobs/job-spec';
import { workflowTraits } from '../jobs/workflow-spec';
import { counted } from '../util/counted';

type RoundFinished = Extract<RunEvent, { kind: 'round-finished' }>;

/** One line about a finished round, such as `round 2 (3/10)  Dice 0.41 (TC 0.38, WT 0.52, ET 0.33)  loss 0.52  4/4 sites  12.1 s`. */
export function describeRound(event: RoundFinished, job: JobSpec): string {
  const { metrics, sites } = event;
  const { rounds } = workflowTraits(job.workflow);
  const title = event.final
    ? `after ${counted(event.round, 'round')}`
    : `round ${event.round} (${event.round + 1}/${rounds})`;
  const answered = sites.filter(({ status }) => status === 'ok').length;
  const parts = [
    title.padEnd(16),
    ...describeMetrics(metrics, job),
    ...(event.final || metrics.train_loss === undefined ? [] : [`loss ${number(metrics.train_loss)}`]),
    `${answered}/${sites.length} sites`,
    `${event.seconds.toFixed(1)} s`,
    ...describePrivacy(event),
  ];
  return parts.join('  ');
}

/** The key metric, with its parts where it has any; nothing when no site gave it. */
function describeMetrics(metrics: RoundFinished['metrics'], job: JobSpec): string[] {
  const { keyMetric } = workflowTraits(job.workflow);
  const value = metrics[keyMetric];
  if (keyMetric !== 'val_dice') return value === undefined ? [] : [`${keyMetric} ${number(value)}`];
  const parts = ['tc', 'wt', 'et'].filter((part) => `val_dice_${part}` in metrics);
  const names = parts.map((part) => `${part.toUpperCase()} ${number(metrics[`val_dice_${part}`])}`).join(', ');
  if (value === undefined && names === '') return [];
  return [`Dice ${number(value)}${names === '' ? '' : ` (${names})`}`];
}

/** The key metric beside a progress bar. */
export function describeScore(metrics: RoundFinished['metrics'], job: JobSpec): string {
  const { keyMetric } = workflowTraits(job.workflow);
  const value = metrics[keyMetric];
  return value === undefined ? '' : `  ${keyMetric === 'val_dice' ? 'Dice' : keyMetric} ${number(value)}`;
}

/** What the round cost, in words that do not promise more than there is. */
function describePrivacy({ epsilon, differentiallyPrivate }: RoundFinished): string[] {
  if (epsilon === undefined) return [];
  if (!differentiallyPrivate) return ['NOT differentially private'];
  const verdict = epsilon > 100 ? ': no meaningful protection' : epsilon > 10 ? ': weak' : '';
  return [`ε ${formatEpsilon(epsilon)} this round${verdict}`];
}

/** Three digits, in scientific notation when large. */
export function formatEpsilon(epsilon: number): string {
  return epsilon >= 1e4 ? epsilon.toExponential(2) : epsilon.toPrecision(3);
}

function number(value: number | null | undefined): string {
  return typeof value === 'number' ? value.toFixed(3) : '–';
}

/** `1:05` for 65 seconds. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  const rest = String(whole % 60).padStart(2, '0');
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${rest}` : `${minutes}:${rest}`;
}
