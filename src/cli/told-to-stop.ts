/** Resolves with the first signal; the second one ends the process at once, like a power cut. @param says what the first one does. */
export function toldToStop(says: string): Promise<void> {
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
  });
}
