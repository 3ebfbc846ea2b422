/**
 * A process that is started again when it crashes, as `start.sh` of its kit does it.
 *
 * @module
 */
import { type LocalProcess, type ReadyLine, startLocalProcess } from './local-process';

export interface SupervisedOptions {
  readonly name: string;
  /** Arguments of the `consilium` command. */
  readonly args: readonly string[];
  readonly testNoiseSeed: number | undefined;
  /** It has ended by itself, and is started again. */
  readonly crashed: (error: Error) => void;
  /** It has ended before it was ready: another start would end the same way. */
  readonly failed: (error: Error) => void;
  /** Gives up waiting for it to be ready. */
  readonly signal: AbortSignal;
}

export interface SupervisedProcess {
  readonly name: string;
  /** Of the process that runs now. */
  readonly pid: number | undefined;
  /** Its ready line, for the first time. */
  readonly ready: Promise<ReadyLine>;
  /** Ends the process without a word, as a power cut does; it is started again. */
  kill(): void;
  stop(): Promise<void>;
}

export function superviseProcess(options: SupervisedOptions): SupervisedProcess {
  const { name, args, testNoiseSeed, crashed, failed, signal } = options;
  let stopping = false;
  let current = start();
  const ready = current.ready(signal);
  watch(current, ready);
  return {
    name,
    get pid() {
      return current.pid;
    },
    ready,
    kill: () => current.kill(),
    stop() {
      stopping = true;
      return current.stop();
    },
  };

  function start(): LocalProcess {
    return startLocalProcess(name, args, () => {}, testNoiseSeed); // What it says is in its own log.
  }

  function watch(one: LocalProcess, isReady: Promise<ReadyLine>): void {
    let wasReady = false;
    isReady.then(
      () => {
        wasReady = true;
      },
      () => {}, // How it ended is heard below.
    );
    one.ended.catch((error: Error) => {
      if (stopping) return;
      if (!wasReady) {
        failed(error);
        return;
      }
      crashed(error);
      current = start();
      watch(current, current.ready(signal));
    });
  }
}
