/**
 * What happened in a simulated federation, as the checkers need it: told by the parts under test where they have it, and by the
 * world around them where they may not know.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import type { Update } from '../../src/protocol/messages';
import type { RoundLine } from '../../src/runtime/round-line';
import type { NamedTensors } from '../../src/tensor/tensor';

/** An update that a site has kept, and may send. */
export interface SentUpdate {
  readonly site: string;
  readonly task: string;
  readonly sha256: string;
  readonly update: Update;
}

export interface CommittedRound {
  readonly line: RoundLine;
  /** After the round. */
  readonly model: NamedTensors;
}

export interface History {
  /** Every line of the log of events, in order, with virtual times. */
  readonly lines: readonly string[];
  note(line: string): void;
  /** Violations found while it ran. */
  readonly violations: string[];
  /** By SHA-256 of the update's file. */
  readonly sent: Map<string, SentUpdate>;
  /** Acknowledged as accepted: `site task`. */
  readonly accepted: Map<string, { readonly round: number; readonly sha256: string }>;
  /** Rounds whose checkpoint was on disk when they were announced, by number of the line. */
  readonly committed: Map<number, CommittedRound>;
  /** Calls of the noise filter by site: what left may be one of them each. */
  readonly noised: Map<string, Set<string>>;
  digest(): string;
}

export function createHistory(nowMs: () => number): History {
  const lines: string[] = [];
  return {
    lines,
    note: (line) => void lines.push(`${nowMs().toFixed(3)} ${line}`),
    violations: [],
    sent: new Map(),
    accepted: new Map(),
    committed: new Map(),
    noised: new Map(),
    digest: () => createHash('sha256').update(lines.join('\n')).digest('hex'),
  };
}
