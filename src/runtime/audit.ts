/**
 * An audit log: one JSON object a line, each with the SHA-256 of the line before, so that whoever changes, removes or inserts
 * a line breaks the chain. Where the chain ends stands in a small file of its own, the head: it shows that lines were cut off.
 *
 * Whoever can write both files can forge a whole new chain; against that, the last hash is noted somewhere else
 * (`consilium audit verify` prints it, and checks one that was noted before).
 *
 * @module
 */
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { DataError, InternalError, isConsiliumError, WorkspaceError } from '../errors';
import { sha256Hex } from '../protocol/wire/messages';
import { appendData, codeOf, workspaceError, writeFileAtomic } from '../util/atomic-file';
import type { Clock } from '../util/clock';
import type { Disk, DiskFile } from '../util/disk';
import { type Json, json } from '../util/json';
import { lastLines } from '../util/last-lines';
import { readLines } from '../util/read-lines';
import { sha256Of } from '../util/sha256';

/** What happened. Nothing of data, and no paths: an audit log is shown to others. */
export interface AuditEvent {
  /** What, in one word or two with a dash: `joined`, `job-submitted`. */
  readonly event: string;
  readonly [field: string]: Json | undefined;
}

export interface AuditLog {
  /** Adds a record, after those of earlier calls. On disk when it resolves; several that come at one time share one flush. */
  append(event: AuditEvent): Promise<void>;
  /** Resolves when all records so far are on disk. @throws WorkspaceError for the first since the last flush that is not. */
  flush(): Promise<void>;
  /** Writes what is left and the head. */
  close(): Promise<void>;
}

export interface AuditOptions {
  readonly disk: Disk;
  readonly clock: Clock;
}

const auditRecord = z
  .object({
    /** Counted from 1. */
    n: z.int().positive(),
    time: z.iso.datetime(),
    /** SHA-256 of the line before, without its line feed. */
    prev: sha256Hex,
    event: z.string().min(1).max(64),
  })
  .catchall(json);

const auditHead = z.strictObject({ version: z.literal(1), records: z.int().nonnegative(), hash: sha256Hex });
type AuditHead = z.output<typeof auditHead>;

/** What the first record follows. */
const beginning = '0'.repeat(64);

/** Longest record that is written or read, bytes. */
const longestRecord = 1 << 16;

/** The head is at most this far behind the log. */
const headDelayMs = 1000;

/** The head of the log `<folder>/<name>.jsonl`: `<folder>/<name>.head.json`. */
function headFileOf(file: string): string {
  return join(dirname(file), `${file.slice(dirname(file).length + 1).replace(/\.jsonl$/, '')}.head.json`);
}

/**
 * Opens the log to add to it. Only its end is read, so that a long one costs nothing; the remains of a record that a crash cut
 * off, and nobody was told of, are dropped.
 *
 * @throws WorkspaceError when the log was shortened or its end was changed: a chain would hide that.
 */
export async function openAudit(file: string, { disk, clock }: AuditOptions): Promise<AuditLog> {
  const headFile = headFileOf(file);
  const known = await readHead(headFile, disk);
  let end = await endOf(file, disk, known);
  refuseShortened(file, end, known);
  if (known?.hash !== end.hash) await writeHead();
  let waiting: Waiting[] = [];
  let writing: Promise<void> = Promise.resolve();
  let failure: unknown;
  /** After a failed write nothing is known of the end of the file. */
  let unsure = false;
  let cancelHead: (() => void) | undefined;
  return { append, flush, close };

  function append(event: AuditEvent): Promise<void> {
    const added = new Promise<void>((resolve, reject) => {
      waiting.push({ event, time: new Date(clock.wallMs()).toISOString(), resolve, reject });
    });
    added.catch(() => {}); // Told to whoever awaits it, and to the next flush.
    if (waiting.length === 1) writing = writing.then(writeWaiting);
    return added;
  }

  /** All that came while the records before were written. */
  async function writeWaiting(): Promise<void> {
    const batch = waiting;
    waiting = [];
    try {
      if (unsure) end = await endOf(file, disk, undefined);
      unsure = true;
      let last = end;
      const lines = batch.map(({ event, time }) => {
        const line = JSON.stringify({ n: last.records + 1, time, prev: last.hash, ...event });
        if (Buffer.byteLength(line) > longestRecord) throw new InternalError(`A record of the audit log is too long.`);
        last = { version: 1, records: last.records + 1, hash: sha256Of(Buffer.from(line)) };
        return `${line}\n`;
      });
      await appendData(file, lines.join(''), { durable: true, disk });
      end = last;
      unsure = false;
      for (const { resolve } of batch) resolve();
      cancelHead ??= clock.after(headDelayMs, () => {
        cancelHead = undefined;
        writing = writing.then(writeHead).catch(fail);
      });
    } catch (error) {
      fail(error);
      for (const { reject } of batch) reject(error);
    }
  }

  function fail(error: unknown): void {
    failure ??= error;
  }

  async function writeHead(): Promise<void> {
    await writeFileAtomic(headFile, `${JSON.stringify(end)}\n`, { disk });
  }

  async function flush(): Promise<void> {
    await writing;
    const first = failure;
    failure = undefined;
    if (first !== undefined) throw first;
  }

  async function close(): Promise<void> {
    cancelHead?.();
    writing = writing.then(writeHead).catch(fail);
    await flush();
  }
}

interface Waiting {
  readonly event: AuditEvent;
  readonly time: string;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

async function readHead(headFile: string, disk: Disk): Promise<AuditHead | undefined> {
  const bytes = await disk.readFile(headFile).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw workspaceError('read', headFile, error);
  });
  if (bytes === undefined) return undefined;
  const parsed = auditHead.safeParse(parseJson(bytes));
  if (!parsed.success) throw damagedEnd(headFile, 'it is not whole');
  return parsed.data;
}

/** Number and hash of the last record. The chain of the last ones is checked: the head may be somewhat behind them. */
async function endOf(file: string, disk: Disk, head: AuditHead | undefined): Promise<AuditHead> {
  const lines = await lastLines(file, longestRecord, disk).catch((error: unknown) => {
    throw isConsiliumError(error, 'DataError') ? damagedEnd(file, 'no record can be found at its end') : error;
  });
  let end: AuditHead | undefined;
  for (const line of lines) {
    const record = auditRecord.safeParse(parseJson(line));
    if (!record.success) throw damagedEnd(file, 'one of its last records cannot be read');
    const { n, prev } = record.data;
    const isChanged = end && (prev !== end.hash || (head?.records === end.records && head.hash !== end.hash));
    if (isChanged) throw damagedEnd(file, `record ${n - 1} was changed, or the one after it`);
    end = { version: 1, records: n, hash: sha256Of(line) };
  }
  return end ?? { version: 1, records: 0, hash: beginning };
}

/** The head is written after the log, so it is never ahead of it. */
function refuseShortened(file: string, end: AuditHead, head: AuditHead | undefined): void {
  if (head === undefined && end.records > 0) throw damagedEnd(file, 'the file with its head is missing');
  if (head === undefined) return;
  if (head.records > end.records) {
    throw damagedEnd(file, `it ends with record ${end.records}, but ${head.records} were written`);
  }
  if (head.records === end.records && head.hash !== end.hash) throw damagedEnd(file, 'its last record was changed');
}

function damagedEnd(file: string, why: string): WorkspaceError {
  return new WorkspaceError(`The audit log '${file}' cannot be continued: ${why}.`, {
    hint: 'Find out who changed it. To go on, move it and its .head.json to another folder and keep them: a new log is begun.',
  });
}

export type AuditVerdict =
  | {
      readonly whole: true;
      readonly records: number;
      /** Of the last record: note it elsewhere. */
      readonly lastHash: string;
      readonly first: string | undefined;
      readonly last: string | undefined;
      /** Remains of a record that a crash cut off, bytes. */
      readonly tornBytes: number;
    }
  | { readonly whole: false; readonly record: number; readonly problem: string };

/**
 * Reads the whole chain and its head.
 *
 * @param expected a hash that was noted before: it must be in the chain.
 * @throws WorkspaceError when the log cannot be read.
 */
export async function verifyAudit(file: string, disk: Disk, expected?: string): Promise<AuditVerdict> {
  const log = await disk.open(file, 'read').catch((error: unknown) => {
    throw workspaceError('read', file, error);
  });
  try {
    const head = await disk.readFile(headFileOf(file)).catch(() => undefined);
    return await verifyChain(log, head, expected);
  } catch (error) {
    if (error instanceof DataError) return { whole: false, record: 0, problem: error.message };
    throw error;
  } finally {
    await log.close();
  }
}

async function verifyChain(
  log: DiskFile,
  headBytes: Uint8Array | undefined,
  expected: string | undefined,
): Promise<AuditVerdict> {
  const head = auditHead.safeParse(headBytes && parseJson(headBytes));
  let lastHash = beginning;
  let records = 0;
  let tornBytes = 0;
  let [first, last]: (string | undefined)[] = [];
  let found = expected === undefined || expected === beginning;
  const broken = (problem: string): AuditVerdict => ({ whole: false, record: records + 1, problem });
  for await (const { bytes, whole } of readLines(log, longestRecord)) {
    if (!whole) {
      tornBytes = bytes.length;
      break;
    }
    const record = auditRecord.safeParse(parseJson(bytes));
    if (!record.success) return broken('It is not a record.');
    const { n, prev, time } = record.data;
    if (n !== records + 1) return broken(`It is numbered ${n}: records were removed or inserted.`);
    if (prev !== lastHash) return broken('The record before it was changed: its hash differs.');
    lastHash = sha256Of(bytes);
    records = n;
    first ??= time;
    last = time;
    found ||= lastHash === expected;
    if (head.success && head.data.records === n && head.data.hash !== lastHash) {
      return { whole: false, record: n, problem: 'It was changed: its hash differs from that in the head.' };
    }
  }
  if (!head.success) return broken('The head is missing or damaged: whether records were cut off here cannot be told.');
  if (head.data.records > records) return broken(`It is missing: ${head.data.records} records were written.`);
  if (!found) return { whole: false, record: records, problem: 'No record has the hash that was expected.' };
  return { whole: true, records, lastHash, first, last, tornBytes };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}
