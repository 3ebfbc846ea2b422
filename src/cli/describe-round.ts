import type { RunEvent } from '../jobs/environment';

type RoundFinished = Extract<RunEvent, { kind: 'round-finished' }>;

/** One line about a finished round, such as `round 2 (3/10)  Dice 0.41 (TC 0.38, WT 0.52, ET 0.33)  loss 0.52  4/4 sites  12.1 s`. */
export function describeRound(event: RoundFinished, rounds: number): string {
  const { metrics, sites } = event;
  const title = event.final ? `after ${rounds} rounds` : `round ${event.round} (${event.round + 1}/${rounds})`;
  const answered = sites.filter(({ status }) => status === 'ok').length;
  const parts = [
    title.padEnd(16),
    `Dice ${number(metrics.val_dice)} (TC ${number(metrics.val_dice_tc)}, WT ${number(metrics.val_dice_wt)}, ET ${number(metrics.val_dice_et)})`,
    ...(event.final ? [] : [`loss ${number(metrics.train_loss)}`]),
    `${answered}/${sites.length} sites`,
    `${event.seconds.toFixed(1)} s`,
    ...describePrivacy(event),
  ];
  return parts.join('  ');
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
