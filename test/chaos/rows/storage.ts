/** The disk of the server is full or broken, or what lies on it is damaged: rows C-34 to C-36. */
import { appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type ChaosRow, row, survives } from '../row';
import { type Course, changed } from '../stage';
import type { Tamper } from '../tamper';

let flags = 0;

function diskFails(code: 'ENOSPC' | 'EIO', what: string, path: string): ChaosRow {
  const flag = join(tmpdir(), `consilium-chaos-flag-${process.pid}-${++flags}`);
  const tamper: Tamper = { disk: { flag, path, code } };
  return survives(
    code === 'ENOSPC' ? 'C-34' : 'C-35',
    `${code} at the server: ${what}`,
    {
      federation: { first: { server: { tamper } } },
      budgetSeconds: 60,
      job: { trainMs: 500 },
      mayRetrain: ['site-1', 'site-2', 'site-3'], // A job that pauses calls off what it has asked.
      async act(stage, course) {
        try {
          await course.finished(0);
          writeFileSync(flag, '');
          const paused = await stage.member('server').said(/Paused, and tried again/);
          expect(paused).toContain(code);
        } finally {
          rmSync(flag, { force: true });
        }
      },
    },
    { patient: true },
  );
}

/** The newest file of the checkpoint of a job whose name fits. */
function newest(course: Course, pattern: RegExp): string {
  const folder = join(course.folder(), course.toy.name, 'server', 'simulate_job', 'app_server', 'checkpoint');
  const number = (name: string) => Number(/\d+/.exec(name)![0]);
  const names = readdirSync(folder).filter((name) => pattern.test(name));
  return join(folder, names.sort((a, b) => number(a) - number(b)).at(-1)!);
}

function flipBit(file: string, at = 0.5): void {
  const bytes = readFileSync(file);
  bytes[Math.floor(bytes.length * at)]! ^= 4;
  writeFileSync(file, bytes);
}

/** A bit of the n-th line is wrong. */
function withChangedRecord(bytes: Buffer, n: number): Buffer {
  const lines = bytes.toString('latin1').split('\n');
  const line = Buffer.from(lines[n - 1]!, 'latin1');
  line[line.length >> 1]! ^= 4;
  lines[n - 1] = line.toString('latin1');
  return Buffer.from(lines.join('\n'), 'latin1');
}

const damages = {
  'is changed': (file: string) => flipBit(file),
  'is cut short': (file: string) => writeFileSync(file, readFileSync(file).subarray(0, -9)),
  'is missing': (file: string) => rmSync(file),
} as const;

function damaged(what: string, pattern: RegExp, how: keyof typeof damages): ChaosRow {
  return survives('C-36', `${what} ${how} while the server is down: it goes back by one, and says so`, {
    budgetSeconds: 20,
    job: { trainMs: 500 },
    mayRepeat: true,
    mayRetrain: ['site-1', 'site-2', 'site-3'],
    async act(stage, course) {
      await course.finished(1); // Two checkpoints are there, and the job's first one is gone.
      await stage.kill('server');
      damages[how](newest(course, pattern));
      await stage.start('server');
      const said = /cannot be used.*Going back|One of the last two checkpoints/;
      await course.heard((event) => event.kind === 'log' && said.test(event.message));
    },
  });
}

export const storageRows: readonly ChaosRow[] = [
  diskFails('ENOSPC', 'an answer arrives', '/spool/'),
  diskFails('ENOSPC', 'a checkpoint is written', '/checkpoint/.state-'),
  diskFails('ENOSPC', 'an update goes into the journal', '/updates/'),
  diskFails('EIO', 'a checkpoint is flushed', '/checkpoint/.state-'),
  ...(['is changed', 'is cut short', 'is missing'] as const).map((how) =>
    damaged('the newest checkpoint', /^state-/, how),
  ),
  ...(['is changed', 'is cut short', 'is missing'] as const).map((how) => damaged('its model', /^model-/, how)),
  survives('C-36', 'a record of the audit log was cut off by a crash: the log goes on before it', {
    budgetSeconds: 20,
    job: { trainMs: 500 },
    async act(stage, course) {
      await course.training('site-1', 1);
      await stage.kill('server');
      appendFileSync(join(stage.serverWorkspace, 'audit.jsonl'), '{"n":99,"time":"20');
      await stage.start('server');
    },
  }),
  row('C-36', 'the end of the audit log is changed: the server does not start, and says what to do', async (stage) => {
    await stage.submit({ rounds: 1 }).result();
    const head = join(stage.serverWorkspace, 'audit.head.json');
    const covers = () => JSON.parse(readFileSync(head, 'utf8')).records === stage.audit().length || undefined;
    await changed(stage.serverWorkspace, 'the head of the audit log', covers);
    await stage.kill('server');
    const file = join(stage.serverWorkspace, 'audit.jsonl');
    const before = readFileSync(file);
    writeFileSync(file, withChangedRecord(before, JSON.parse(readFileSync(head, 'utf8')).records));
    const refused = await stage.start('server').catch((error: Error) => error.message);
    expect(refused).toMatch(/ended with 1[\s\S]*cannot be continued/);
    writeFileSync(file, before);
    await stage.start('server');
    await stage.submit({ rounds: 1 }).result();
  }),
];
