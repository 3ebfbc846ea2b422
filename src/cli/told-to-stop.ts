/**
 * Resolves with the first signal; the second one ends the process at once, like a power cut.
 *
 * @param says what the first one does.
 * @param withParent whether the end of standard input is a signal too: the process that started this one is gone.
 */
export function toldToStop(says: string, withParent: boolean): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    const stop = (signal: NodeJS.Signals) => {
      if (asked) process.kill(process.pid, 'SIGKILL');
      asked = true;
      process.stderr.write(`${signal}: ${says}\n`);
      resolve();
    };
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
    if (withParent) process.stdin.resume().once('end', () => resolve());
  });
}
