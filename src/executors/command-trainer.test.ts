import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { float32, type NamedTensors } from '../tensor/tensor';
import { commandTrainer } from './command-trainer';
import type { ExecutorContext, Progress } from './executor';
import type { Trainer } from './trainer';
import type { TrainingSite } from './training-site';

const folder = mkdtempSync(join(tmpdir(), 'consilium-command-'));
const log: string[] = [];
const progress: Progress[] = [];
let trainer: Trainer | undefined;
afterEach(async () => {
  await trainer?.close?.();
  trainer = undefined;
  log.length = 0;
  progress.length = 0;
});
afterAll(() => rmSync(folder, { recursive: true }));

const place: TrainingSite = {
  ...{ job: 'job', site: 'site-1', folder, config: { target: 3 }, seed: 7 },
  log: (message) => log.push(message),
};
const context = (signal: AbortSignal = new AbortController().signal): ExecutorContext => ({
  signal,
  progress: (one) => progress.push(one),
});
const model: NamedTensors = new Map([['w', float32([2], [1, 2])]]);
const task = (round = 0, kind = 'train') => ({ kind, round, model });

/** A client in plain Node.js, from docs/reference/trainer-protocol.md. `messages` holds what has come; `on` is called for each. */
const client = `
  let rest = Buffer.alloc(0);
  function raw(header, payload = Buffer.alloc(0)) {
    const prefix = Buffer.from([0xff, 0x43, 0x46, 1, ...new Array(12).fill(0)]);
    prefix.writeUInt32LE(Buffer.byteLength(header), 4);
    prefix.writeBigUInt64LE(BigInt(payload.length), 8);
    return Buffer.concat([prefix, Buffer.from(header), payload]);
  }
  const send = (header, payload) => process.stdout.write(raw(JSON.stringify(header), payload));
  const tensors = (all) => {
    const header = {}; const data = []; let at = 0;
    for (const [name, shape, values] of all) {
      header[name] = { dtype: 'F32', shape, data_offsets: [at, at += 4 * values.length] };
      data.push(Buffer.from(Float32Array.from(values).buffer));
    }
    const json = Buffer.from(JSON.stringify(header)); const size = Buffer.alloc(8);
    size.writeBigUInt64LE(BigInt(json.length));
    return Buffer.concat([size, json, ...data]);
  };
  const valuesOf = (payload) => {
    const data = payload.subarray(8 + Number(payload.readBigUInt64LE(0)));
    return Array.from({ length: data.length / 4 }, (_, i) => data.readFloatLE(4 * i));
  };
  process.stdin.on('data', (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 16) {
      const header = rest.readUInt32LE(4), payload = Number(rest.readBigUInt64LE(8)), end = 16 + header + payload;
      if (rest.length < end) return;
      const message = JSON.parse(rest.subarray(16, 16 + header)); const data = rest.subarray(16 + header, end);
      rest = rest.subarray(end);
      on(message, data);
    }
  });
`;
const polite = `if (message.type === 'hello') send({ type: 'hello', protocol: 1 });
  if (message.type === 'bye' || message.type === 'abort') process.exit(0);`;

/** A trainer on a program whose function \`on(message, payload)\` has this body. */
function program(body: string, { hello = polite, replySeconds = 30 } = {}): Trainer {
  writeFileSync(join(folder, 'client.cjs'), `${client}\nfunction on(message, payload) { ${hello}\n${body} }`);
  const command: [string, ...string[]] = [process.execPath, 'client.cjs', '--epochs', '2'];
  trainer = commandTrainer({ kind: 'command', command, replySeconds, transfer: 'weights' }, place, 5);
  return trainer;
}

const onTask = (body: string) => `if (message.type === 'task') { const { id, kind, round } = message; ${body} }`;
const answers = onTask(`
  if (kind === 'validate') send({ type: 'reply', id, metrics: { loss: round } });
  else send({ type: 'reply', id, metrics: { done: 1 }, steps: 2 }, tensors([['w', [2], valuesOf(payload).map((x) => x + 1)]]));`);

async function failureOf(
  body: string,
  options: Parameters<typeof program>[1] = {},
): Promise<Error & { hint?: string }> {
  return program(body, options)
    .train(task(), context())
    .then(
      () => expect.unreachable('the task was answered'),
      (error) => error,
    );
}

describe('a training program', () => {
  it('answers tasks, one process for the whole run', async () => {
    const trained = program(answers);
    expect(await trained.validate!(task(4, 'validate'), context())).toEqual({ loss: 4 });
    const reply = await trained.train(task(4), context());
    expect([...reply.weights.get('w')!.data]).toEqual([2, 3]);
    expect(reply).toMatchObject({ metrics: { done: 1 }, steps: 2 });
  });

  it('is told of its site, gets its arguments as they are, and works in the folder of the job', async () => {
    const hello = `if (message.type === 'hello') {
      send({ type: 'hello', protocol: 1 });
      send({ type: 'log', message: JSON.stringify({ message, bytes: payload.length, args: process.argv.slice(2), cwd: process.cwd() }) });
    } if (message.type === 'bye') process.exit(0);`;
    await program(answers, { hello }).train(task(), context());
    expect(JSON.parse(log[0]!)).toEqual({
      message: {
        ...{
          type: 'hello',
          protocol: 1,
          job: 'job',
          site: 'site-1',
          folder,
          config: { target: 3 },
          seed: 7,
          rounds: 5,
        },
      },
      bytes: 0,
      args: ['--epochs', '2'],
      cwd: folder,
    });
  });

  it('finds the settings of the algorithm in a task, and the correction of its gradients beside the model', async () => {
    const body = onTask(`const { settings, correction } = message;
      send({ type: 'log', message: JSON.stringify({ settings, correction, names: namesOf(payload) }) });
      send({ type: 'reply', id, steps: 1 }, tensors([['w', [2], [0, 0]]]));`).replace(
      'namesOf(payload)',
      "Object.keys(JSON.parse(payload.subarray(8, 8 + Number(payload.readBigUInt64LE(0))))).filter((name) => name !== '__metadata__')",
    );
    const trained = program(body);
    const correction = new Map([['w', float32([2], [3, 4])]]);
    await trained.train({ ...task(), settings: { learningRate: 0.1 } }, { ...context(), correction });
    await trained.train(task(1), context());
    expect(log.map((line) => JSON.parse(line))).toEqual([
      { settings: { learningRate: 0.1 }, correction: true, names: ['w', 'correction/w'] },
      { settings: null, names: ['w'] },
    ]);
  });

  it('tells its progress; standard error goes to the log of the site', async () => {
    const body =
      onTask(`send({ type: 'progress', id, done: 3, total: 10, loss: 0.5 }); process.stderr.write('epoch 1\\n');
      setTimeout(() => send({ type: 'reply', id, steps: 1 }, payload), 50);`);
    await program(body).train(task(), context());
    expect(progress).toEqual([{ phase: 'train', done: 3, total: 10, loss: 0.5 }]);
    expect(log).toEqual(['epoch 1']);
  });

  it('gets back what it saved when the run is resumed', async () => {
    const counting = `globalThis.n ??= 0;
      if (message.type === 'hello' && payload.length > 0) n = valuesOf(payload)[0];
      ${onTask(`n++; send({ type: 'state' }, tensors([['n', [], [n]]]));
        send({ type: 'reply', id, steps: 1 }, tensors([['w', [2], [n, n]]]));`)}`;
    const weight = async (round: number) =>
      Number((await trainer!.train(task(round), context())).weights.get('w')!.data[0]);
    const first = program(counting);
    expect([await weight(0), await weight(1)]).toEqual([1, 2]);
    const kept = first.state!()!;
    await first.close!();
    program(counting).restore!(kept);
    expect(await weight(2)).toBe(3);
  });
});

describe('a program that goes wrong', () => {
  it.each([
    [
      'prints to standard output',
      onTask("process.stdout.write('epoch 1\\\\n');"),
      'something other than a frame came: "epoch 1',
    ],
    ['sends wrong JSON', onTask("process.stdout.write(raw('{oops'));"), 'the header of a frame is malformed'],
    ['sends NaN', onTask(`process.stdout.write(raw('{"type":"reply","id":0,"metrics":{"a":NaN}}'));`), 'malformed'],
    [
      'sends no known type',
      onTask("send({ type: 'weights' });"),
      'types are hello, reply, progress, state, log, error',
    ],
    ['sends an unknown field', onTask("send({ type: 'log', message: 'a', level: 1 });"), 'Unrecognized key: "level"'],
    [
      'sends too much',
      onTask("send({ type: 'reply', id }, Buffer.alloc(3e6));"),
      'a payload of 3000000 bytes; at most',
    ],
    [
      'sends a payload with a log',
      onTask("send({ type: 'log', message: '' }, Buffer.alloc(1));"),
      'at most 0 are accepted',
    ],
    [
      'sends weights that are none',
      onTask("send({ type: 'reply', id, steps: 1 }, Buffer.alloc(20));"),
      'safetensors header',
    ],
    [
      'answers another task',
      onTask("send({ type: 'reply', id: 9 }, payload);"),
      'a reply to task 9 came, but task 0 was asked',
    ],
  ])('because it %s', async (_, body, message) => {
    const error = await failureOf(body);
    expect(error).toMatchObject({ tag: 'SiteFailedError' });
    expect(error.message).toMatch(/^The program 'node' broke the protocol \(train task of round 0\): /);
    expect(error.message).toContain(message);
    expect(error.hint).toContain('print to standard error');
  });

  it.each([
    ['another shape', "tensors([['w', [1, 2], [0, 0]]]), 1", "'w' as float32 [1,2], but float32 [2] was sent"],
    ['another name', "tensors([['v', [2], [0, 0]]]), 1", "'w' is missing"],
    ['NaN', "tensors([['w', [2], [0, NaN]]]), 1", "NaN in 'w' (element 1)"],
    ['no steps', "tensors([['w', [2], [0, 0]]]), undefined", 'a whole number of at least 1, but undefined came'],
  ])('because it answers with %s', async (_, given, message) => {
    const error = await failureOf(
      onTask(`const [data, steps] = [${given}]; send({ type: 'reply', id, steps }, data);`),
    );
    expect(error.message).toContain(message);
    expect(error.hint).toMatch(/\w/);
  });

  it('because it speaks another version, or does not say hello', async () => {
    const hello = "if (message.type === 'hello') send({ type: 'hello', protocol: 2 });";
    expect((await failureOf('', { hello })).message).toContain(
      'it speaks version 2 of the protocol; this is version 1',
    );
    expect((await failureOf(answers, { hello: '' })).message).toContain("'reply' came before 'hello'");
  });

  it('because it answers twice: the first answer counts, the next task says so', async () => {
    const twice = program(onTask("for (const _ of 'ab') send({ type: 'reply', id, steps: 1 }, payload);"));
    await twice.train(task(0), context());
    await expect(twice.train(task(1), context())).rejects.toThrow('a reply to task 0 came, but');
  });

  it('because it fails and says why', async () => {
    const error = await failureOf(onTask("send({ type: 'error', message: 'no GPU' });"));
    expect(error.message).toBe("The program 'node' failed (train task of round 0): no GPU");
  });

  it('because it ends: with its last words; the next task starts it anew', async () => {
    const dies = program(onTask("if (round === 0) { console.error('out of memory'); process.exit(3); }") + answers);
    await expect(dies.train(task(0), context())).rejects.toMatchObject({
      tag: 'SiteFailedError',
      message: "The program 'node' ended with exit code 3 (train task of round 0). Its last words: out of memory",
    });
    expect(await dies.train(task(1), context())).toMatchObject({ steps: 2 });
  });

  it('because it ends in the middle of a frame', async () => {
    const body = onTask('process.stdout.write(raw(\'{"type":"log"}\').subarray(0, 20), () => process.exit(0));');
    expect((await failureOf(body)).message).toContain('ended with exit code 0, after 4 of the 14 bytes of its header');
  });

  it('because it cannot be started', async () => {
    const command: [string, ...string[]] = ['no-such-program'];
    trainer = commandTrainer({ kind: 'command', command, replySeconds: 5, transfer: 'weights' }, place, 1);
    await expect(trainer.train(task(), context())).rejects.toThrow(
      "The program 'no-such-program' could not be started: spawn no-such-program ENOENT",
    );
  });

  it('because it never answers: it is stopped after its time', async () => {
    const started = performance.now();
    expect((await failureOf('', { replySeconds: 1 })).message).toBe(
      "The program 'node' did not answer the train task of round 0 within 1 s, and was stopped.",
    );
    expect(performance.now() - started).toBeLessThan(4000);
  });
});

describe('a run that is stopped', () => {
  /** Says its number and that of a process it has started, then does what \`hello\` says. */
  const parent = `const { spawn } = require('node:child_process');
    const child = spawn(process.execPath, ['-e', 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    send({ type: 'log', message: process.pid + ' ' + child.pid });`;
  const hello = "if (message.type === 'hello') send({ type: 'hello', protocol: 1 });";

  async function stop(body: string): Promise<{ readonly seconds: number; readonly alive: number[] }> {
    const controller = new AbortController();
    const trained = program(onTask(`${parent} ${body}`), { hello }).train(task(), context(controller.signal));
    trained.catch(() => {});
    await expect.poll(() => log, { timeout: 10_000 }).not.toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, 200));
    const started = performance.now();
    controller.abort();
    await expect(trained).rejects.toMatchObject({ tag: 'AbortedError' });
    const seconds = (performance.now() - started) / 1000;
    await new Promise((resolve) => setTimeout(resolve, 100));
    return { seconds, alive: log[0]!.split(' ').map(Number).filter(isAlive) };
  }

  it('ends the program by SIGTERM a second after abort, with all that it started', async () => {
    const { seconds, alive } = await stop('');
    expect(alive).toEqual([]);
    expect(seconds).toBeGreaterThan(0.9);
    expect(seconds).toBeLessThan(4);
  });

  it('ends a program by SIGKILL that does not listen to SIGTERM for 5 seconds', async () => {
    const { seconds, alive } = await stop("process.on('SIGTERM', () => {}); setInterval(() => {}, 1000);");
    expect(alive).toEqual([]);
    expect(seconds).toBeGreaterThan(5.5);
  });
});

/** Whether the process is there; one that has ended and was not collected yet is not. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !existsSync('/proc') || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
