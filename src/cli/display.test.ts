import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { parseJob } from '../jobs/job-spec';
import { createDisplay } from './display';

const job = parseJob({
  version: 1,
  name: 'shown',
  sites: ['site-1'],
  workflow: { kind: 'fed-avg', rounds: 3, minSites: 1, keyMetric: 'error' },
  model: { kind: 'tensors', tensors: { w: [1] } },
  trainer: { kind: 'script', script: './client.ts' },
});

describe('the live display', () => {
  it('draws over nothing that was said after it was closed', () => {
    const terminal = fakeTerminal();
    const display = createDisplay(job, terminal.stream);
    display.show({ kind: 'round-started', round: 0, rounds: 3 });
    display.show(progress(1));
    display.close();
    const before = terminal.text().length;
    terminal.stream.write('SIGINT: stopping; continue with: …\n');
    display.show(progress(2));
    display.show({ kind: 'log', level: 'info', message: 'it ends' });
    display.show({ kind: 'done', outcome: 'aborted' });
    display.close();
    expect(terminal.text().slice(before)).toBe('SIGINT: stopping; continue with: …\nit ends\n');
  });

  it('shows the lines that came just before its end', () => {
    const terminal = fakeTerminal();
    const display = createDisplay(job, terminal.stream);
    display.show({ kind: 'round-started', round: 0, rounds: 3 });
    display.show({ kind: 'log', level: 'warn', site: 'site-1', message: 'the disk is full' });
    display.close();
    expect(terminal.text()).toContain('site-1: the disk is full');
  });
});

function progress(done: number) {
  return { kind: 'progress', site: 'site-1', round: 0, phase: 'train', done, total: 4, loss: 0.5 } as const;
}

/** A terminal of 80 columns that keeps what is written to it. */
function fakeTerminal() {
  const stream = new PassThrough();
  const chunks: string[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
  const terminal = Object.assign(stream, { isTTY: true, columns: 80, rows: 24 }) as unknown as NodeJS.WriteStream;
  return { stream: terminal, text: () => chunks.join('') };
}
