/** Programs that tests start. Never waited for synchronously: a test file that is blocked for a minute is taken for dead. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

export interface Ended {
  /** `null` after a signal. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, without standard input. */
export async function runProgram(name: string, args: readonly string[], cwd = process.cwd()): Promise<Ended> {
  const child = spawn(name, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code));
  });
  const [status, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  return { status, stdout, stderr };
}

/** What a program printed. @throws Error with everything it printed when it failed. */
export async function outputOf(name: string, args: readonly string[], cwd?: string): Promise<string> {
  const { status, stdout, stderr } = await runProgram(name, args, cwd);
  if (status === 0) return stdout;
  throw new Error(`${name} ${args.join(' ')} ended with ${status}:\n${stdout}\n${stderr}`);
}
