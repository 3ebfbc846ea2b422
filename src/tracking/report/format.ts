/**
 * Numbers as people read them.
 *
 * @module
 */
const missing = '–';

/** A score with three decimals; a dash where it is not defined. */
export function formatScore(value: number | null | undefined): string {
  return typeof value === 'number' ? value.toFixed(3) : missing;
}

/** A loss with four decimals. */
export function formatLoss(value: number | null | undefined): string {
  return typeof value === 'number' ? value.toFixed(4) : missing;
}

/** A number of unknown size, with four significant digits. */
export function formatNumber(value: number | null | undefined): string {
  if (typeof value !== 'number') return missing;
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return formatCount(value);
  const size = Math.abs(value);
  return size >= 1e-3 && size < 1e6 ? String(Number(value.toPrecision(4))) : value.toExponential(2);
}

/** A whole number with thin spaces between groups of three digits. */
export function formatCount(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, '\u202f');
}

const scales = [
  [1e12, 'trillion'],
  [1e9, 'billion'],
  [1e6, 'million'],
] as const;

/** ε in words: `0.25`, `42.5`, `4.23 million`, `∞`. */
export function formatEpsilon(epsilon: number): string {
  if (!Number.isFinite(epsilon)) return '∞';
  if (epsilon >= 1e15) return epsilon.toExponential(2);
  const scale = scales.find(([size]) => epsilon >= size);
  if (scale) return `${(epsilon / scale[0]).toPrecision(3)} ${scale[1]}`;
  return epsilon >= 1000 ? formatCount(Math.round(epsilon)) : String(Number(epsilon.toPrecision(3)));
}

/** `38 s`, `12 min 5 s`, `3 h 20 min`. */
export function formatDuration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${seconds < 10 ? seconds.toFixed(1) : whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** `2026-01-31 12:00 UTC`. */
export function formatTime(time: Date): string {
  return `${time.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
