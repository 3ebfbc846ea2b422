import { spawnSync } from 'node:child_process';

const bin = require.resolve('ts-node/dist/bin');

/** What a TypeScript file printed, run as `npx ts-node` runs it. @throws Error with everything it printed when it failed. */
export function tsNode(file: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, file, ...args], {
    cwd,
    encoding: 'utf8',
    timeout: 100_000,
  });
  if (status === 0) return stdout;
  throw new Error(`${file} ended with ${status}:\n${stdout}\n${stderr}`);
}
