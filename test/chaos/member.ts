/**
 * A server or a site of a federation as a process that may be killed, stopped for a while and started again.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { compiled } from './compiled';
import { type Tamper, tamperEnvironment } from './tamper';

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Member {
  readonly name: string;
  readonly pid: number;
  /** Resolves with what it says of itself once it listens or is connected; rejects when it ends before. */
  readonly ready: Promise<Readonly<Record<string, unknown>>>;
  readonly exited: Promise<Exit>;
  readonly running: boolean;
  /** What it has written to standard error so far. */
  log(): string;
  /** Resolves with the first line of its log that fits, also of those before. */
  said(pattern: RegExp): Promise<string>;
  signal(signal: NodeJS.Signals): void;
}

export interface MemberOptions {
  readonly kit: string;
  readonly args?: readonly string[];
  /** Where it ends by itself: see `src/util/failpoint.ts`. */
  readonly failpoint?: string | undefined;
  readonly tamper?: Tamper | undefined;
}

export function startMember(
  command: 'server' | 'client',
  name: string,
  { kit, args = [], failpoint, tamper }: MemberOptions,
): Member {
  const { bin, tamper: tamperFile } = compiled();
  const child = spawn(process.execPath, [bin, command, '--kit', kit, '--json', '--with-parent', ...args], {
    // A pipe that ends with this process, however it ends: then the member ends too.
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      ...process.env,
      NODE_ENV: 'test',
      CONSILIUM_FAILPOINT: failpoint ?? '',
      ...(tamper && tamperEnvironment(tamper, tamperFile)),
    },
  });
  const lines: string[] = [];
  const listeners = new Set<(line: string) => void>();
  createInterface({ input: child.stderr }).on('line', (line) => {
    lines.push(line);
    for (const listen of listeners) listen(line);
  });
  const exited = exitOf(child);
  const ready = new Promise<Record<string, unknown>>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', (line) => {
      const said = JSON.parse(line);
      if (said.ready === true) resolve(said); // Otherwise it says what is wrong, and ends.
    });
    void exited.then(({ code, signal }) =>
      reject(new Error(`'${name}' ended with ${code ?? signal}:\n${lines.slice(-20).join('\n')}`)),
    );
  });
  ready.catch(() => {}); // Not everybody waits for it.
  return {
    name,
    pid: child.pid!,
    ready,
    exited,
    get running() {
      return child.exitCode === null && child.signalCode === null;
    },
    log: () => lines.join('\n'),
    said(pattern) {
      const earlier = lines.find((line) => pattern.test(line));
      if (earlier !== undefined) return Promise.resolve(earlier);
      if (child.exitCode !== null)
        return Promise.reject(new Error(`'${name}' has ended without a word of ${pattern}.`));
      return new Promise((resolve, reject) => {
        const listen = (line: string) => {
          if (!pattern.test(line)) return;
          listeners.delete(listen);
          resolve(line);
        };
        listeners.add(listen);
        void exited.then(() => reject(new Error(`'${name}' has ended without a word of ${pattern}.`)));
      });
    },
    signal: (signal) => void child.kill(signal),
  };
}

function exitOf(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
}
