import type { CloseReason, Identity } from '../../transport/connection';
import type { Refused } from '../../transport/websocket/server';
import type { Clock } from '../../util/clock';
import { oneLine } from '../../util/one-line';
import type { AuditEvent } from '../audit';

/** Refusals of one kind within this time are one record, so that nobody fills the disk by knocking. */
const windowMs = 60_000;
/** Kinds of refusals that are told apart within a window. */
const mostKinds = 1000;

export interface RefusalRecords {
  /** Somebody was not let in. */
  refused(refused: Refused): void;
  /** Somebody was let in, and is sent away: for the version they speak, or because the roster has changed. */
  sentAway(peer: Identity, reason: CloseReason): void;
  stop(): void;
}

/**
 * Records who was not let in or sent away, and why: the first of a kind at once, how many more there were a minute later.
 *
 * @param append puts a record into the audit log
 * @param warn says the same to the server's people, in one line with the next step
 */
export function refusalRecords(
  clock: Clock,
  append: (event: AuditEvent) => void,
  warn: (line: string) => void,
): RefusalRecords {
  const counts = new Map<string, number>();
  const cancels = new Set<() => void>();
  return {
    refused({ address, identity, reason }) {
      const who = identity && { name: identity.name, role: identity.role, fingerprint: identity.fingerprint };
      const about = identity ? `the ${identity.role} '${identity.name}' at ${address}` : `somebody at ${address}`;
      note({ event: 'refused', address, ...who, code: reason.code, reason: reason.message }, about, reason);
    },
    sentAway({ name, role }, reason) {
      const event = { event: 'sent-away', name, role, code: reason.code, reason: reason.message };
      // Of another version, they were never welcome.
      const who = `the ${role} '${name}'`;
      note(event, reason.code === 'version' ? who : `${who}, who was connected`, reason);
    },
    stop(): void {
      for (const cancel of cancels) cancel();
    },
  };

  function note(event: AuditEvent, who: string, reason: CloseReason): void {
    const kind = JSON.stringify(event);
    const count = counts.get(kind);
    if (count !== undefined) {
      counts.set(kind, count + 1);
    } else if (counts.size < mostKinds) {
      counts.set(kind, 0);
      append(event);
      warn(refusalLine(who, reason));
      const cancel = clock.after(windowMs, () => {
        cancels.delete(cancel);
        const more = counts.get(kind) ?? 0;
        counts.delete(kind);
        if (more === 0) return;
        append({ ...event, more });
        warn(refusalLine(`${who}, ${more} more times within a minute`, reason));
      });
      cancels.add(cancel);
    }
  }
}

/** What the log says of a refusal: whom, why, and what the other end was told to do. */
export function refusalLine(who: string, { message, hint }: Pick<CloseReason, 'message' | 'hint'>): string {
  return oneLine(`refused ${who}: ${message.slice(0, 2000)}${hint === undefined ? '' : ` → ${hint}`}`);
}
