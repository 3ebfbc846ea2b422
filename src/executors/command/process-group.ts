/**
 * A program with everything that it starts itself: one process group, so that nothing is left behind.
 *
 * @module
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';

export interface ProcessGroup {
  readonly child: ChildProcessWithoutNullStreams;
  /** How it ended, in words. Nothing of it is left then, and all its output was read. */
  readonly ended: Promise<string>;
  /** Whether it ended within that time. */
  endedWithin(milliseconds: number): Promise<boolean>;
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
}

/** Output that a process outside the group still holds open is not waited for any longer, milliseconds. */
const outputGrace = 1000;

/** Starts a program; no shell sees its arguments. */
export function startGroup(program: string, args: readonly string[], folder: string): ProcessGroup {
  // On POSIX the child leads a group of its own; Ctrl-C in a terminal reaches us, and we tell it.
  const ownGroup = process.platform !== 'win32';
  const child = spawn(program, args, { cwd: folder, detached: ownGroup, windowsHide: true });
  child.stdin.on('error', () => {}); // It no longer reads: how it ended says more.
  const ended = new Promise<string>((resolve) => {
    let how = 'ended';
    child.once('error', (error) => {
      how = `could not be started: ${error.message}`;
      if (child.pid === undefined) resolve(how);
    });
    child.once('exit', (code, signal) => {
      how = signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
      kill('SIGKILL'); // What it started and left.
      const timer = setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
      }, outputGrace);
      child.once('close', () => clearTimeout(timer));
    });
    child.once('close', () => resolve(how));
  });
  return { child, ended, endedWithin, kill };

  async function endedWithin(milliseconds: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), milliseconds);
    });
    const inTime = await Promise.race([ended.then(() => true), late]);
    clearTimeout(timer);
    return inTime;
  }

  function kill(signal: 'SIGTERM' | 'SIGKILL'): void {
    if (child.pid === undefined) return;
    try {
      if (ownGroup) process.kill(-child.pid, signal);
      else child.kill(signal);
    } catch (error) {
      // All of it is gone already; some systems say EPERM of what has ended and was not collected yet.
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ESRCH' && code !== 'EPERM') throw error;
    }
  }
}
