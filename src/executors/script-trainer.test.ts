import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { ScriptTrainerSpec } from '../jobs/trainer-spec';
import { float32, type NamedTensors } from '../tensor/tensor';
import type { ExecutorContext, Progress } from './executor';
import { scriptTrainer } from './script-trainer';
import type { Trainer } from './trainer';
import type { TrainingSite } from './training-site';

const folder = mkdtempSync(join(tmpdir(), 'consilium-script-'));
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
const plain: ScriptTrainerSpec = { kind: 'script', script: '', args: [], replySeconds: 30, transfer: 'weights' };
const task = (round = 0, kind = 'train') => ({ kind, round, model });

/** A trainer on a script with this text. `body` stands inside the loop over the tasks. */
function script(body: string, options: Partial<ScriptTrainerSpec> & { file?: string; around?: string } = {}): Trainer {
  const { file = 'client.cjs', around = 'for await (const task of site.tasks()) { BODY }', ...spec } = options;
  const code = `async function train(site) { ${around.replace('BODY', () => body)} }`;
  const esm = file.endsWith('.mjs') || file.endsWith('.ts');
  writeFileSync(join(folder, file), esm ? `export default ${code}` : `module.exports = ${code}`);
  trainer = scriptTrainer({ ...plain, script: `./${file}`, ...spec }, place, 5);
  return trainer;
}

const grow = `
  const weights = new Map([...task.model].map(([k, t]) => [k, { ...t, data: t.data.map((x) => x + 1) }]));`;

async function failureOf(body: string, options: Parameters<typeof script>[1] = {}): Promise<Error & { hint?: string }> {
  return script(body, options)
    .train(task(), context())
    .then(
      () => expect.unreachable('the task was answered'),
      (error) => error,
    );
}

describe('a training script', () => {
  it.each(['client.cjs', 'client.mjs', 'client.ts'])('answers tasks from %s', async (file) => {
    const both = `${grow}
      if (task.kind === 'validate') await task.reply({ metrics: { loss: task.round } });
      else await task.reply({ weights, metrics: { done: 1 }, steps: 2 });`;
    const trained = script(both, { file });
    expect(await trained.validate!(task(4, 'validate'), context())).toEqual({ loss: 4 });
    const reply = await trained.train(task(4), context());
    expect([...reply.weights.get('w')!.data]).toEqual([2, 3]);
    expect(reply).toMatchObject({ metrics: { done: 1 }, steps: 2 });
  });

  it('is told of its site, and of nothing else', async () => {
    const body = `const { name, job, folder, config, args, seed, rounds, state } = site;
      site.log(JSON.stringify({ name, job, folder, config, args, seed, rounds, state: state ?? 'none' }));
      await task.reply({ weights: task.model, steps: 1 });`;
    await script(body, { args: ['--epochs', '2'] }).train(task(), context());
    expect(JSON.parse(log[0]!)).toEqual({
      ...{ name: 'site-1', job: 'job', folder, config: { target: 3 }, args: ['--epochs', '2'] },
      ...{ seed: 7, rounds: 5, state: 'none' },
    });
  });

  it('finds the settings of the algorithm and the correction of its gradients in a task', async () => {
    const body = `site.log(JSON.stringify([task.settings, [...(task.correction?.get('w').data ?? [])]]));
      await task.reply({ weights: task.model, steps: 1 });`;
    const correction = new Map([['w', float32([2], [3, 4])]]);
    const trained = script(body);
    await trained.train({ ...task(), settings: { learningRate: 0.1 } }, { ...context(), correction });
    await trained.train(task(1), context());
    expect(log).toEqual(['[{"learningRate":0.1},[3,4]]', '[null,[]]']);
  });

  it('keeps its own memory from round to round, trains in place, and leaves the received model alone', async () => {
    const around = 'let calls = 0; for await (const task of site.tasks()) { BODY }';
    const inPlace = script(
      'const w = task.model.get("w"); w.data.fill(++calls); await task.reply({ weights: task.model, steps: 1 });',
      { around },
    );
    await inPlace.train(task(0), context());
    const { weights } = await inPlace.train(task(1), context());
    expect([...weights.get('w')!.data]).toEqual([2, 2]);
    expect([...model.get('w')!.data]).toEqual([1, 2]);
  });

  it('tells its progress; what it prints goes to the log of the site', async () => {
    const body = `task.progress(3, 10, 0.5); console.log('epoch 1'); console.error('careful');
      await new Promise((resolve) => setTimeout(resolve, 50));
      await task.reply({ weights: task.model, steps: 1 });`;
    await script(body).train(task(), context());
    expect(progress).toEqual([{ phase: 'train', done: 3, total: 10, loss: 0.5 }]);
    expect(log.sort()).toEqual(['careful', 'epoch 1']);
  });

  it('may answer with one tensor under two names', async () => {
    const tied: NamedTensors = new Map([...model, ['v', float32([2], [0, 0])]]);
    const body = `const t = task.model.get('w'); await task.reply({ weights: new Map([['w', t], ['v', t]]), steps: 1 });`;
    const { weights } = await script(body).train({ ...task(), model: tied }, context());
    expect(weights.get('v')!.data.buffer).not.toBe(weights.get('w')!.data.buffer);
  });
});

describe('the state of a script', () => {
  const counting = `const before = site.state?.get('n').data[0] ?? 0;
    let n = before;
    for await (const task of site.tasks()) {
      if (task.kind === 'train') site.saveState(new Map([['n', { dtype: 'float32', shape: [], data: Float32Array.of(++n) }]]));
      const w = task.model.get('w'); w.data.fill(n);
      await task.reply(task.kind === 'train' ? { weights: task.model, steps: 1 } : { metrics: { n } });
    }`;
  const weight = async (round: number) =>
    Number((await trainer!.train(task(round), context())).weights.get('w')!.data[0]);

  it('is given back when the run is resumed', async () => {
    const first = script('', { around: counting });
    expect([await weight(0), await weight(1)]).toEqual([1, 2]);
    const kept = first.state!()!;
    await first.close!();
    script('', { around: counting }).restore!(kept);
    expect(await weight(2)).toBe(3);
  });

  it('goes back when a round is repeated, whatever the script has in its memory', async () => {
    const repeated = script('', { around: counting });
    await weight(0);
    const afterFirst = repeated.state!()!;
    await weight(1);
    repeated.restore!(afterFirst);
    expect(await weight(1)).toBe(2);
  });

  it('is that of the last finished training when the script is started again after a failure', async () => {
    const failing = counting.replace(
      'const w =',
      "if (task.round === 1 && task.kind === 'validate') throw new Error('no'); const w =",
    );
    script('', { around: failing });
    await weight(0);
    await expect(trainer!.validate!(task(1, 'validate'), context())).rejects.toThrow('no');
    expect(await weight(1)).toBe(2);
  });
});

describe('a script that goes wrong', () => {
  it('by throwing: its stack in the log of the site, its message in the error', async () => {
    const error = await failureOf("throw new Error('no more memory');");
    expect(error).toMatchObject({
      tag: 'SiteFailedError',
      message: "The script 'client.cjs' threw (train task of round 0): no more memory",
      hint: "Its stack is in the site's log.",
    });
    expect(log.join('\n')).toMatch(/no more memory\n\s+at train .*client\.cjs/);
  });

  it('by throwing outside its loop', async () => {
    const body = "setTimeout(() => { throw new Error('in a timer'); }, 5); await new Promise(() => {});";
    expect((await failureOf(body)).message).toContain(
      "The script 'client.cjs' threw (train task of round 0): in a timer",
    );
  });

  it('by ending its loop', async () => {
    const error = await failureOf('break;');
    expect(error.message).toBe(
      "The script 'client.cjs' ended its loop after 0 answers, but the run goes on (train task of round 0).",
    );
    expect(error.hint).toContain('Answer every task');
  });

  it('by ending its loop after an answer, at the next task', async () => {
    const once = script('await task.reply({ weights: task.model, steps: 1 }); break;');
    await once.train(task(0), context());
    await expect(once.train(task(1), context())).rejects.toThrow('ended its loop after 1 answers');
  });

  it('by going on without an answer', async () => {
    const error = await failureOf('continue;');
    expect(error.message).toContain('went on without answering the train task of round 0');
    expect(error.hint).toContain('task.reply');
  });

  it('by answering twice: the first answer counts, the next task says so', async () => {
    const twice = script(`const reply = { weights: task.model, steps: 1 };
      await task.reply(reply); await task.reply(reply);`);
    await twice.train(task(0), context());
    await expect(twice.train(task(1), context())).rejects.toThrow('The train task of round 0 was answered already');
  });

  it.each([
    ['no object', '7', 'is answered with an object, but 7 came'],
    ['another field', '{ weights: task.model, step: 1 }', "has no field 'step'; it has weights, metrics, steps"],
    ['weights in an object', '{ weights: {}, steps: 1 }', 'a Map from names to tensors, but a plain object came'],
    ['what is no tensor', '{ weights: new Map([["w", [1, 2]]]), steps: 1 }', "'w' is no tensor"],
    ['no steps', '{ weights: task.model }', 'a whole number of at least 1, but undefined came'],
    ['half a step', '{ weights: task.model, steps: 0.5 }', 'a whole number of at least 1, but 0.5 came'],
    ['a missing tensor', '{ weights: new Map(), steps: 1 }', "'w' is missing"],
    [
      'another tensor',
      '{ weights: new Map([...task.model, ["b", w]]), steps: 1 }',
      "'b' was not in the received model",
    ],
    [
      'another shape',
      '{ weights: new Map([["w", { ...w, shape: [2, 1] }]]), steps: 1 }',
      "'w' as float32 [2,1], but float32 [2]",
    ],
    [
      'another dtype',
      '{ weights: new Map([["w", { ...w, dtype: "float64", data: new Float64Array(2) }]]), steps: 1 }',
      "'w' as float64 [2], but float32 [2]",
    ],
    [
      'NaN',
      '{ weights: new Map([["w", { ...w, data: Float32Array.of(1, NaN) }]]), steps: 1 }',
      "NaN in 'w' (element 1)",
    ],
    [
      'a NaN metric',
      '{ weights: task.model, steps: 1, metrics: { loss: NaN } }',
      "'loss' is NaN, but has to be a finite number",
    ],
  ])('by answering with %s', async (_, reply, message) => {
    const error = await failureOf(`const w = task.model.get('w'); await task.reply(${reply});`);
    expect(error.message).toContain(message);
    expect(error.hint).toMatch(/\w/);
  });

  it('by calling exit', async () => {
    const error = await failureOf('process.exit(3);');
    expect(error.message).toBe("The script 'client.cjs' called exit(3) (train task of round 0).");
  });

  it('by exporting no function', async () => {
    writeFileSync(join(folder, 'empty.cjs'), 'module.exports = {};');
    trainer = scriptTrainer({ ...plain, script: 'empty.cjs' }, place, 1);
    await expect(trainer.train(task(), context())).rejects.toThrow(
      "The script 'empty.cjs' exports no function by default.",
    );
  });

  it('by never answering: it is stopped after its time, and the next task starts it anew', async () => {
    const body =
      'if (task.round === 0) await new Promise(() => {}); await task.reply({ weights: task.model, steps: 1 });';
    const slow = script(body, { replySeconds: 1 });
    await expect(slow.train(task(0), context())).rejects.toMatchObject({
      message: "The script 'client.cjs' did not answer the train task of round 0 within 1 s, and was stopped.",
      hint: expect.stringContaining('replySeconds'),
    });
    expect(await slow.train(task(1), context())).toMatchObject({ steps: 1 });
  });
});

describe('a run that is stopped', () => {
  it('aborts the signals of the script, which may then end by itself', async () => {
    const stop = new AbortController();
    const body = `site.log('at work');
      await new Promise((resolve) => task.signal.addEventListener('abort', resolve));
      site.log('cleared up: ' + site.signal.aborted); task.signal.throwIfAborted();`;
    const trained = script(body).train(task(), context(stop.signal));
    await expect.poll(() => log).toContain('at work');
    stop.abort();
    await expect(trained).rejects.toMatchObject({ tag: 'AbortedError' });
    expect(log).toEqual(['at work', 'cleared up: true']);
  });

  it('ends a script that does not listen after 5 seconds', async () => {
    const stop = new AbortController();
    const trained = script("site.log('at work'); for (;;);").train(task(), context(stop.signal));
    await expect.poll(() => log).toContain('at work');
    const started = performance.now();
    stop.abort();
    await expect(trained).rejects.toMatchObject({ tag: 'AbortedError' });
    expect(performance.now() - started).toBeGreaterThan(4500);
    expect(log.at(-1)).toContain('did not end within 5 s');
  });
});
