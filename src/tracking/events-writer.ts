/**
 * TensorBoard event files: scalars by tag and step.
 * Messages: https://github.com/tensorflow/tensorboard/tree/master/tensorboard/compat/proto (event.proto, summary.proto)
 *
 * @module
 */
import { readdir, readFile, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { appendData, workspaceError } from '../util/atomic-file';
import { messageType, type ProtoSchema } from '../util/protobuf';
import { frameRecord, readRecords } from './tf-record';

const schema: ProtoSchema = {
  Event: {
    wallTime: { type: 'double', id: 1 },
    step: { type: 'int64', id: 2 },
    fileVersion: { type: 'string', id: 3 },
    summary: { type: 'Summary', id: 5 },
  },
  Summary: { value: { type: 'Value', id: 1, rule: 'repeated' } },
  Value: { tag: { type: 'string', id: 1 }, simpleValue: { type: 'float', id: 2, explicit: true } },
};
const event = messageType(schema, 'Event');

/** A point of a curve. */
export interface ScalarEvent {
  readonly tag: string;
  readonly value: number;
  /** ≥ 0. */
  readonly step: number;
  /** Seconds since 1970. */
  readonly wallTime: number;
}

export interface EventsOptions {
  /** Ends the file's name: a site, say. */
  readonly name: string;
  /** Milliseconds since 1970; gives the file's name and the times of events. */
  readonly clock: () => number;
  /** Delete the event files that the folder holds, for a caller who writes their points again. Default: continue them. */
  readonly restart?: boolean;
}

export interface EventsWriter {
  readonly file: string;
  /**
   * Adds points in one write, behind those of the calls before; a point without a time has the clock's. The file appears with
   * the first ones, and stands open only while it is written: a run may have a thousand sites.
   */
  add(points: readonly NewScalar[]): Promise<void>;
}

/** A point whose time may be left to the clock. */
export type NewScalar = Omit<ScalarEvent, 'wallTime'> & Partial<Pick<ScalarEvent, 'wallTime'>>;

/**
 * Opens the one event file of a folder: continues the newest, after its last whole record, or begins a new one. TensorBoard
 * sees points as soon as the promise of their call resolves. @throws WorkspaceError.
 */
export async function openEvents(
  folder: string,
  { name, clock, restart = false }: EventsOptions,
): Promise<EventsWriter> {
  try {
    const earlier = (await filesOf(folder)).filter((file) => file.startsWith(prefix)).sort();
    if (restart) await Promise.all(earlier.map((file) => rm(join(folder, file))));
    const last = restart ? undefined : earlier.at(-1);
    if (last !== undefined) await dropTornRecord(join(folder, last));
    const seconds = Math.floor(clock() / 1000);
    const file = last ?? `${prefix}${String(seconds).padStart(10, '0')}.${name}`;
    return appendEvents(join(folder, file), clock, last === undefined);
  } catch (error) {
    throw workspaceError('write the TensorBoard events in', folder, error);
  }
}

const prefix = 'events.out.tfevents.';

/** The names in a folder; none when there is no such folder yet. */
async function filesOf(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
}

function appendEvents(file: string, clock: () => number, isNew: boolean): EventsWriter {
  let header = isNew;
  let last: Promise<unknown> = Promise.resolve();
  return {
    file,
    add(points) {
      if (points.length === 0) return Promise.resolve();
      const now = clock() / 1000;
      const records = points.map((point) => frameRecord(encodeScalar({ wallTime: now, ...point })));
      const written = last.then(async () => {
        const begin = header ? [frameRecord(event.encode({ wallTime: now, fileVersion: 'brain.Event:2' }))] : [];
        await appendData(file, Buffer.concat([...begin, ...records]));
        header = false;
      });
      // The caller sees the failure; those that come after it try on their own.
      last = written.catch(() => undefined);
      return written;
    },
  };
}

function encodeScalar({ tag, value, step, wallTime }: ScalarEvent): Uint8Array {
  return event.encode({ wallTime, step, summary: { value: [{ tag, simpleValue: value }] } });
}

async function dropTornRecord(path: string): Promise<void> {
  const bytes = await readFile(path);
  const { end } = readRecords(bytes);
  if (end < bytes.length) await truncate(path, end);
}

/** The scalars of an event file, in order; other events are skipped, and so is a last record that is cut off. */
export function readScalars(bytes: Uint8Array): readonly ScalarEvent[] {
  return readRecords(bytes).records.flatMap((record) => {
    const { wallTime = 0, step = 0, summary } = event.decode(record) as DecodedEvent;
    return (summary?.value ?? []).flatMap(({ tag, simpleValue }) =>
      simpleValue === undefined ? [] : [{ tag, value: simpleValue, step, wallTime }],
    );
  });
}

interface DecodedEvent {
  readonly wallTime?: number;
  readonly step?: number;
  readonly summary?: { readonly value?: readonly { readonly tag: string; readonly simpleValue?: number }[] };
}
