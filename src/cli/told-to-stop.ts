import type { Socket } from 'node:net';

/**
 * Resolves with the first signal; the second one ends the process at once, like a power cut.
 *
 * @param says what the first one does.
 * @param withParent whether the end of standard input is a signal too: the process that started this one is gone.
 */
export function toldToStop(says: string, withParent: boolean): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    const stop = (signal: string) => {
      if (asked) process.kill(process.pid, 'SIGKILL');
      asked = true;
      process.stderr.write(`${signal}: ${says}\n`);
      resolve();
    };
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
    if (!withParent) return;
    process.stdin.resume().once('end', () => stop('The process that started this one is gone'));
    (process.stdin as Partial<Socket>).unref?.(); // It does not keep alive what has ended.
  });
}
