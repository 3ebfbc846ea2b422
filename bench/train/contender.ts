import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { Row } from './rows';

export interface Hello {
  readonly name: string;
  readonly version: string;
  /** Milliseconds until it was ready. */
  readonly openMs: number;
}

export interface Repetition {
  readonly ms: number;
  /** Peak of the process so far. */
  readonly rssMb: number;
}

/** A process that repeats a row's task when asked to. */
export interface Contender {
  readonly hello: Hello;
  repeat(): Promise<Repetition>;
  close(): Promise<void>;
}

export function startOurs(row: Row): Promise<Contender> {
  const script = join(__dirname, 'ours.ts');
  return start(process.execPath, ['-r', 'ts-node/register', script, JSON.stringify(row)]);
}

/** @param python an interpreter that has torch */
export function startPeer(python: string, row: Row): Promise<Contender> {
  return start(python, [join(__dirname, 'peer.py'), JSON.stringify(row)]);
}

/** The Python with torch: what CONSILIUM_BENCH_PYTHON names, or `python3`; undefined when it has none. */
export function findTorch(): string | undefined {
  const python = process.env.CONSILIUM_BENCH_PYTHON ?? 'python3';
  const { status } = spawnSync(python, ['-c', 'import torch'], { stdio: 'ignore' });
  return status === 0 ? python : undefined;
}

async function start(command: string, args: readonly string[]): Promise<Contender> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface(child.stdout!);
  const hello = (await answer(child, lines)) as Hello;
  return {
    hello,
    repeat() {
      child.stdin!.write('\n');
      return answer(child, lines) as Promise<Repetition>;
    },
    async close() {
      child.stdin!.end();
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}

async function answer(child: ChildProcess, lines: Interface): Promise<unknown> {
  const ended = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`${child.spawnargs.join(' ')} ended with ${code ?? signal}`);
  });
  const [line] = await Promise.race([once(lines, 'line'), ended]);
  return JSON.parse(line);
}
