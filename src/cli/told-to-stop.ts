import type { Socket } from 'node:net';

/** Within so long another signal is the same one: a terminal, a time-out or a service tells a group of processes and each of them. */
const sameMs = 500;

/**
 * Hears signals: the first one, then a second one. What comes within half a second after the first is part of it.
 *
 * @returns what is to be told of each.
 */
export function onSignals(first: (signal: string) => void, second: () => void): (signal: string) => void {
  let asked: number | undefined;
  return (signal) => {
    if (asked === undefined) {
      asked = performance.now();
      first(signal);
    } else if (performance.now() - asked > sameMs) second();
  };
}

/** Ends the process at once, like a power cut: a plain exit would wait for, and then crash on, threads that are inside the runtime. */
export function cutOff(): void {
  process.kill(process.pid, 'SIGKILL');
}

/**
 * Resolves with the first signal; the second one ends the process at once, like a power cut.
 *
 * @param says what the first one does.
 * @param withParent whether the end of standard input is a signal too: the process that started this one is gone.
 */
export function toldToStop(says: string, withParent: boolean): Promise<void> {
  return new Promise((resolve) => {
    const stop = onSignals((signal) => {
      process.stderr.write(`${signal}: ${says}\n`);
      resolve();
    }, cutOff);
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
    if (!withParent) return;
    process.stdin.resume().once('end', () => stop('The process that started this one is gone'));
    (process.stdin as Partial<Socket>).unref?.(); // It does not keep alive what has ended.
  });
}
