import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { onSignals } from './told-to-stop';

describe('signals', () => {
  afterEach(() => void vi.useRealTimers());

  it('of half a second are one: a terminal and a start script each tell the process', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const heard: string[] = [];
    const signal = onSignals(
      (name) => heard.push(name),
      () => heard.push('second'),
    );
    signal('SIGINT');
    signal('SIGTERM');
    vi.advanceTimersByTime(400);
    signal('SIGINT');
    expect(heard).toEqual(['SIGINT']);
    vi.advanceTimersByTime(200);
    signal('SIGINT');
    expect(heard).toEqual(['SIGINT', 'second']);
  });

  it.runIf(process.platform !== 'win32')(
    'end a process that does not end by itself when there is a second one',
    async () => {
      const program = `
      require('ts-node/register/transpile-only');
      require(${JSON.stringify(join(__dirname, 'told-to-stop.ts'))}).toldToStop('stopping', false);
      setInterval(() => {}, 1000);
      console.log('ready');`;
      const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'pipe'] });
      const ended = once(child, 'close');
      await once(child.stdout, 'data');
      child.kill('SIGTERM');
      await once(child.stderr, 'data');
      await after(600); // Of the clock that the process goes by.
      child.kill('SIGTERM');
      expect(await ended).toEqual([null, 'SIGKILL']);
    },
  );
});
