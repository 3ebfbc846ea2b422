/**
 * What goes wrong inside a server or a site, for chaos tests: loaded into its process before the product, it changes what the
 * product is given (sockets, disk, clock) and nothing of the product. `CHAOS_TAMPER` says what, as JSON.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

export interface Tamper {
  /** Does something to frames of one kind that this process sends: to the n-th, or to all of them. */
  readonly frames?: {
    readonly what: 'drop' | 'double' | 'flip';
    readonly type: string;
    readonly nth?: number;
  };
  /** While this file exists, what is written to files, or moved to them, fails whose paths hold the text. */
  readonly disk?: { readonly flag: string; readonly path: string; readonly code: 'ENOSPC' | 'EIO' };
  /** With SIGUSR2 the clock on the wall is set, with the next one set right again. */
  readonly jumpMs?: number;
  /** With SIGUSR2 nothing happens in this process for so long. */
  readonly blockMs?: number;
}

/** How to start a process that is tampered with. @param file this module, compiled */
export function tamperEnvironment(tamper: Tamper, file: string): NodeJS.ProcessEnv {
  return { NODE_OPTIONS: `--require ${file}`, CHAOS_TAMPER: JSON.stringify(tamper) };
}

if (process.env.CHAOS_TAMPER !== undefined) {
  const { frames, disk, jumpMs = 0, blockMs = 0 } = JSON.parse(process.env.CHAOS_TAMPER) as Tamper;
  if (frames) tamperWithFrames(frames);
  if (disk) tamperWithDisk(disk);
  if (isMainThread && (jumpMs !== 0 || blockMs !== 0)) onSignal(jumpMs, blockMs);
}

type Send = (data: Buffer, ...more: unknown[]) => void;

function tamperWithFrames({ what, type, nth }: NonNullable<Tamper['frames']>): void {
  const { WebSocket } = require('ws') as { readonly WebSocket: { readonly prototype: { send: Send } } };
  const { send } = WebSocket.prototype;
  let seen = 0;
  WebSocket.prototype.send = function (data, ...more) {
    const isMeant = type === '*' || typeIn(data) === type;
    if (isMeant) seen++;
    if (!isMeant || (nth !== undefined && seen !== nth)) return send.call(this, data, ...more);
    if (nth !== undefined) process.stderr.write(`tampered: ${what} ${type}\n`);
    if (what === 'drop') return;
    if (what === 'double') send.call(this, data);
    const bytes = what === 'flip' ? Buffer.from(data) : data;
    if (what === 'flip') bytes[bytes.length - 1]! ^= 0x10;
    send.call(this, bytes, ...more);
  };
}

function typeIn(frame: Buffer): string | undefined {
  const header = frame.toString('latin1', 8, 8 + Math.min(64, frame.readUInt32LE(0)));
  return /^\{"type":"([a-z-]+)"/.exec(header)?.[1];
}

function tamperWithDisk({ flag, path: text, code }: NonNullable<Tamper['disk']>): void {
  const files = require('node:fs/promises') as typeof import('node:fs/promises');
  const { open, rename } = files;
  const refuse = () => {
    if (!existsSync(flag)) return;
    throw Object.assign(new Error(`${code}: the test says so`), { code, syscall: 'write' });
  };
  files.rename = async (from, to) => {
    if (code === 'ENOSPC' && String(to).includes(text)) refuse();
    return rename(from, to);
  };
  files.open = async (path, ...more) => {
    const file = await open(path, ...more);
    if (!String(path).includes(text)) return file;
    const broken: readonly ('write' | 'writev' | 'sync')[] = code === 'EIO' ? ['sync'] : ['write', 'writev'];
    for (const name of broken) {
      const act = (file[name] as (...given: unknown[]) => Promise<unknown>).bind(file);
      Object.assign(file, {
        [name]: async (...given: unknown[]) => {
          refuse();
          return act(...given);
        },
      });
    }
    return file;
  };
}

function onSignal(jumpMs: number, blockMs: number): void {
  const { now } = Date;
  let ahead = 0;
  Date.now = () => now() + ahead;
  process.on('SIGUSR2', () => {
    ahead = ahead === 0 ? jumpMs : 0;
    const end = performance.now() + blockMs;
    while (performance.now() < end);
  });
}
