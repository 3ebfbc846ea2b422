import type { Refused } from '../../transport/websocket/server';
import type { Clock } from '../../util/clock';
import type { AuditEvent } from '../audit';

/** Refusals of one kind within this time are one record, so that nobody fills the disk by knocking. */
const windowMs = 60_000;
/** Kinds of refusals that are told apart within a window. */
const mostKinds = 1000;

/** Records who was not let in, and why: the first of a kind at once, how many more there were a minute later. */
export function refusalAudit(clock: Clock, append: (event: AuditEvent) => void) {
  const counts = new Map<string, number>();
  const cancels = new Set<() => void>();
  return {
    refused({ address, identity, reason }: Refused): void {
      const who = identity && { name: identity.name, role: identity.role, fingerprint: identity.fingerprint };
      const event = { event: 'refused', address, ...who, code: reason.code, reason: reason.message };
      const kind = JSON.stringify(event);
      const count = counts.get(kind);
      if (count !== undefined) {
        counts.set(kind, count + 1);
      } else if (counts.size < mostKinds) {
        counts.set(kind, 0);
        append(event);
        const cancel = clock.after(windowMs, () => {
          cancels.delete(cancel);
          const more = counts.get(kind) ?? 0;
          counts.delete(kind);
          if (more > 0) append({ ...event, more });
        });
        cancels.add(cancel);
      }
    },
    stop(): void {
      for (const cancel of cancels) cancel();
    },
  };
}
