/** The `consilium` command as a process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

const bin = join(__dirname, '..', '..', 'bin', 'consilium.js');

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningCommand {
  readonly process: ChildProcess;
  /** Resolves with the first line of standard output; rejects when the process ends before. */
  readonly firstLine: Promise<string>;
  readonly finished: Promise<Finished>;
}

export function startCommand(...args: readonly string[]): RunningCommand {
  const child = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  const finished = new Promise<Finished>((resolve) => {
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
  const firstLine = new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      if (stdout.includes('\n')) resolve(stdout.slice(0, stdout.indexOf('\n')));
    });
    void finished.then(() => reject(new Error(`It ended without a line: ${stderr}`)));
  });
  firstLine.catch(() => {}); // Not everybody waits for it.
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return { process: child, firstLine, finished };
}

export function runCommand(...args: readonly string[]): Promise<Finished> {
  return startCommand(...args).finished;
}
