/**
 * A server or a site as a child process: ready when it says so, ended in order, and never left behind.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { AbortedError, EngineError } from '../../errors';

export interface LocalProcess {
  readonly pid: number | undefined;
  /** Resolves with its ready line. Rejects when it ends before, with what it said last. */
  ready(signal: AbortSignal): Promise<void>;
  /** Rejects when it ends without having been stopped. */
  readonly ended: Promise<never>;
  stop(): Promise<void>;
}

/** Lines that are kept of what a process says, for the error when it ends by itself. */
const linesKept = 8;
const stopMs = 15_000;

/**
 * @param told hears every line of its log
 * @param testNoiseSeed NOT PRIVATE: see `SimEnvOptions.testNoiseSeed`
 */
export function startLocalProcess(
  name: string,
  args: readonly string[],
  told: (line: string) => void,
  testNoiseSeed?: number,
): LocalProcess {
  const command = join(__dirname, '..', '..', '..', 'bin', 'consilium.js');
  const bin = __filename.endsWith('.ts') ? command : join(__dirname, '..', '..', '..', '..', 'bin', 'consilium.js');
  // Its standard input is a pipe of this process: a child that sees it end knows that its parent is gone.
  const child = spawn(process.execPath, [bin, ...args, '--with-parent'], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: environment(testNoiseSeed),
  });
  const said: string[] = [];
  let stopping = false;
  createInterface({ input: child.stderr }).on('line', (line) => {
    said.push(line);
    if (said.length > linesKept) said.shift();
    told(`${name}: ${line.replace(/^\S+Z /, '')}`);
  });
  const isReady = once(createInterface({ input: child.stdout }), 'line');
  const exit = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const ended = exit.then(([code, signal]): never => {
    if (stopping) return undefined as never;
    const how = signal === null ? `with code ${code}` : `by ${signal}`;
    throw new EngineError(`The process of ${name} has ended ${how}.\n${said.join('\n')}`);
  });
  const broken = ended.then(() => new Promise<never>(() => {})); // Stopped on purpose: nothing to tell.
  for (const one of [ended, broken, isReady]) one.catch(() => {});
  const killWithParent = () => child.kill('SIGKILL');
  process.once('exit', killWithParent);
  exit.then(() => process.off('exit', killWithParent)).catch(() => {});
  return {
    pid: child.pid,
    async ready(signal) {
      const aborted = new Promise<never>((_, reject) => {
        const stop = () => reject(signal.reason ?? new AbortedError('The run was stopped.'));
        if (signal.aborted) stop();
        signal.addEventListener('abort', stop, { once: true });
      });
      aborted.catch(() => {});
      await Promise.race([isReady, broken, aborted]);
    },
    ended: broken,
    async stop() {
      stopping = true;
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      const kill = setTimeout(() => child.kill('SIGKILL'), stopMs);
      await exit;
      clearTimeout(kill);
    },
  };
}

function environment(testNoiseSeed: number | undefined): NodeJS.ProcessEnv {
  if (testNoiseSeed === undefined) return process.env;
  return { ...process.env, NODE_ENV: 'test', CONSILIUM_TEST_NOISE_SEED: String(testNoiseSeed) };
}
