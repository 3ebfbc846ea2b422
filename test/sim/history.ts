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
import type { Training } from './toy-site';

/** An update that a site has kept, and may send. Whose it is, is what its certificate says. */
export interface SentUpdate {
  readonly site: string;
  readonly task: string;
  readonly sha256: string;
  readonly update: Update;
  /** Digest of the model that it says it was computed on. */
  readonly model: string;
}

/** What a site did, in order. */
export type Work =
  | { readonly kind: 'asked'; readonly site: string; readonly round: number; readonly model: string }
  | ({ readonly kind: 'trained' } & Training)
  | { readonly kind: 'answering'; readonly site: string; readonly round: number };

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
  /** By `site sha256`, the SHA-256 of the update's file. */
  readonly sent: Map<string, SentUpdate>;
  /** Acknowledged as accepted: `site task`. */
  readonly accepted: Map<string, { readonly site: string; readonly round: number; readonly sha256: string }>;
  /** Rounds whose checkpoint was on disk when they were announced, by number of the line. */
  readonly committed: Map<number, CommittedRound>;
  readonly work: Work[];
  /** What was damaged where it lay, so that less is promised of it. */
  readonly damaged: Set<'checkpoint' | 'update' | 'state' | 'ledger'>;
  /** The site whose state or ledger was damaged. */
  victim: string | undefined;
  /** Sites that know the job, and those that know of its end. */
  readonly offered: Set<string>;
  readonly ended: Set<string>;
  /** Connections that ended while the job ran. */
  readonly disconnections: string[];
  /** When each site left the server, and when it opened the job; and when its newest round began, virtual milliseconds. */
  readonly leftMs: { readonly site: string | undefined; readonly atMs: number }[];
  roundMs: number;
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
    work: [],
    damaged: new Set(),
    victim: undefined,
    offered: new Set(),
    ended: new Set(),
    disconnections: [],
    leftMs: [],
    roundMs: 0,
    digest: () => createHash('sha256').update(lines.join('\n')).digest('hex'),
  };
}
