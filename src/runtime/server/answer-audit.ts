/**
 * What the audit log says of answers: whose, of which round and task, which bytes, whether they count, and what the filters
 * charged for them.
 *
 * @module
 */
import type { Update } from '../../protocol/messages';
import type { HubEvent } from '../../transport/hub-types';
import type { Json } from '../../util/json';
import type { AuditLog } from '../audit';

export interface AnswerAudit {
  /** An answer has arrived. */
  read(sha256: string, update: Update): void;
  /** Its site was told what became of it. */
  settled(event: Extract<HubEvent, { readonly kind: 'answered' }>): void;
}

export function answerAudit(audit: Pick<AuditLog, 'append'>, failed: (error: unknown) => void): AnswerAudit {
  /** What is known of answers that were read and not settled yet. */
  const known = new Map<string, { readonly kind: string; readonly filters: Json }>();
  return {
    read(sha256, { task, privacy }) {
      const filters = privacy.map(({ mechanism, epsilon, delta, differentiallyPrivate }) => {
        return { mechanism, differentiallyPrivate, epsilon: amount(epsilon), delta: amount(delta) };
      });
      if (known.size >= mostKnown) known.delete([...known.keys()][0]!);
      known.set(sha256, { kind: task, filters });
    },
    settled({ site, job, round, task, blob, outcome, reason }) {
      const more = known.get(blob.sha256);
      known.delete(blob.sha256);
      if (outcome !== 'accepted' && outcome !== 'rejected') return;
      const what = { event: `answer-${outcome}`, job, site, round, task, ...blob, ...more };
      audit.append({ ...what, ...(reason !== '' && { reason }) }).catch(failed);
    },
  };
}

/** Answers of runs that ended before they were settled are forgotten. */
const mostKnown = 20_000;

/** JSON has no infinity. */
function amount(value: number): Json {
  return Number.isFinite(value) ? value : String(value);
}
