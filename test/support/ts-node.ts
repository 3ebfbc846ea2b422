import { execFile } from 'node:child_process';

const bin = require.resolve('ts-node/dist/bin');

/** What a TypeScript file printed, run as `npx ts-node` runs it. @throws Error with everything it printed when it failed. */
export function tsNode(file: string, args: readonly string[], cwd: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [bin, file, ...args], { cwd, timeout: 110_000 }, (cause, stdout, stderr) => {
      if (cause) reject(new Error(`${file} failed:\n${stdout}\n${stderr}`, { cause }));
      else resolve(stdout);
    });
  });
}
