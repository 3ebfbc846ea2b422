import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openRunLog } from './run-log';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'run-log-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('writes a line for people and an object for machines, in order', async () => {
  const log = openRunLog(join(folder, 'server'), { clock: () => 0 });
  const round = log.with({ run: 'brats18_4', round: 2 });
  log.write('info', 'Started.');
  round.write('warn', 'No answer:\nlate.', { site: 'site-1', seconds: 3 });
  round.write('debug', 'Left out.');
  await log.flush();
  expect(await readFile(join(folder, 'server', 'log.txt'), 'utf8')).toBe(
    [
      '1970-01-01 00:00:00.000 INFO  Started.',
      '1970-01-01 00:00:00.000 WARN  round 2 site-1: No answer:',
      '    late. (seconds 3)',
      '',
    ].join('\n'),
  );
  const lines = (await readFile(join(folder, 'server', 'log.json'), 'utf8')).trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { time: '1970-01-01T00:00:00.000Z', level: 'info', message: 'Started.' },
    {
      time: '1970-01-01T00:00:00.000Z',
      level: 'warn',
      run: 'brats18_4',
      round: 2,
      site: 'site-1',
      seconds: 3,
      message: 'No answer:\nlate.',
    },
  ]);
});

test('a message can neither look like further entries nor act upon the terminal that shows the log', async () => {
  const log = openRunLog(folder, { clock: () => 0 });
  log.write('info', 'a\x1b[2J\rb\n1970-01-01 00:00:00.000 INFO  site-2: forged\x07');
  await log.flush();
  expect(await readFile(join(folder, 'log.txt'), 'utf8')).toBe(
    '1970-01-01 00:00:00.000 INFO  a [2J b\n    1970-01-01 00:00:00.000 INFO  site-2: forged \n',
  );
});

test('a line that could not be written is an error of flush', async () => {
  const log = openRunLog('/dev/null/x', { clock: () => 0 });
  log.write('info', 'Started.');
  await expect(log.flush()).rejects.toMatchObject({ tag: 'WorkspaceError' });
});
