/**
 * TensorBoard event files: scalars by tag and step.
 * Messages: https://github.com/tensorflow/tensorboard/tree/master/tensorboard/compat/proto (event.proto, summary.proto)
 *
 * @module
 */
import { mkdir, open, readdir, readFile, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { workspaceError } from '../util/atomic-file';
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
  /** Adds a point, now or at `wallTime` (seconds). Points are written in the order of the calls. */
  scalar(tag: string, value: number, step: number, wallTime?: number): Promise<void>;
  /** Waits for the points so far and closes the file. */
  close(): Promise<void>;
}

/**
 * Opens the one event file of a folder: continues the newest, after its last whole record, or begins a new one. TensorBoard
 * sees each point as soon as its promise resolves. @throws WorkspaceError.
 */
export async function openEvents(
  folder: string,
  { name, clock, restart = false }: EventsOptions,
): Promise<EventsWriter> {
  try {
    await mkdir(folder, { recursive: true });
    const earlier = (await readdir(folder)).filter((file) => file.startsWith(prefix)).sort();
    if (restart) await Promise.all(earlier.map((file) => rm(join(folder, file))));
    const last = restart ? undefined : earlier.at(-1);
    if (last !== undefined) await dropTornRecord(join(folder, last));
    const seconds = Math.floor(clock() / 1000);
    return await appendEvents(join(folder, last ?? `${prefix}${String(seconds).padStart(10, '0')}.${name}`), clock);
  } catch (error) {
    throw workspaceError('write the TensorBoard events in', folder, error);
  }
}

const prefix = 'events.out.tfevents.';

async function appendEvents(path: string, clock: () => number): Promise<EventsWriter> {
  const file = await open(path, 'a');
  if ((await file.stat()).size === 0) {
    await file.write(frameRecord(event.encode({ wallTime: clock() / 1000, fileVersion: 'brain.Event:2' })));
  }
  let last: Promise<unknown> = Promise.resolve();
  return {
    file: path,
    scalar(tag, value, step, wallTime = clock() / 1000) {
      const record = frameRecord(encodeScalar({ tag, value, step, wallTime }));
      const written = last.then(async () => {
        await file.write(record).catch((error) => {
          throw workspaceError('append to', path, error);
        });
      });
      // The caller sees the failure; those that come after it try on their own.
      last = written.catch(() => undefined);
      return written;
    },
    async close() {
      await last;
      await file.close();
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
