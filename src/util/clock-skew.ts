/** So far apart certificates may be valid at one end only, and logs cannot be laid side by side. */
const worthTelling = 60_000;

/** What both ends are told when the clock of the other one, ahead by so much, is not theirs; `undefined` when it is nearly. */
export function clockSkew(otherAheadMs: number): string | undefined {
  if (Math.abs(otherAheadMs) < worthTelling) return undefined;
  const seconds = Math.round(Math.abs(otherAheadMs) / 1000);
  const hint = 'Set the clock of the machine that is wrong; use NTP. Certificates are valid by it.';
  return `its clock is ${seconds} s ${otherAheadMs > 0 ? 'ahead of' : 'behind'} this one. ${hint}`;
}
