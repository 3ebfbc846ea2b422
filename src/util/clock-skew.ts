/** So far apart certificates may be valid at one end only, and logs cannot be laid side by side. */
export const mostSkewMs = 60_000;
export const skewHint = 'Set the clock of the machine that is wrong; use NTP. Certificates are valid by it.';

/** What both ends are told when the clock of the other one, ahead by so much, is not theirs; `undefined` when it is nearly. */
export function clockSkew(otherAheadMs: number): string | undefined {
  if (Math.abs(otherAheadMs) < mostSkewMs) return undefined;
  const seconds = Math.round(Math.abs(otherAheadMs) / 1000);
  return `its clock is ${seconds} s ${otherAheadMs > 0 ? 'ahead of' : 'behind'} this one. ${skewHint}`;
}
