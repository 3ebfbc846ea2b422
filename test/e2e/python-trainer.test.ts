import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { encodeFrame } from '../../src/executors/command/frames';
import { commandTrainer } from '../../src/executors/command-trainer';
import type { Trainer } from '../../src/executors/trainer';
import { readJobFile } from '../../src/jobs/job-file';
import { jobHash } from '../../src/jobs/job-spec';
import { FedAvgRecipe, type FedAvgRecipeOptions } from '../../src/recipes/fed-avg-recipe';
import { SimEnv, type SimEnvOptions } from '../../src/runtime/sim-env';
import { float32, type NamedTensors, tensor } from '../../src/tensor/tensor';

const example = resolve('examples', 'external-python-trainer');
const works = (python: string, code: string) => spawnSync(python, ['-c', code]).status === 0;
const candidates = [process.env.CONSILIUM_BENCH_PYTHON, 'python3'].filter((name) => name !== undefined);
const python = candidates.find((name) => works(name, ''));
const withTorch = candidates.find((name) => works(name, 'import torch'));

const folder = mkdtempSync(join(tmpdir(), 'consilium-python-'));
copyFileSync(join(example, 'consilium_client.py'), join(folder, 'consilium_client.py'));
afterAll(() => rmSync(folder, { recursive: true }));

describe.skipIf(python === undefined)('the Python client, without torch and numpy', () => {
  const log: string[] = [];
  const model: NamedTensors = new Map<string, ReturnType<typeof tensor>>([
    ['w', float32([2], [1, 2])],
    ['n', tensor('int64', [], BigInt64Array.of(7n))],
    ['none', float32([0, 3], [])],
  ]);
  const task = (round: number) => ({ kind: 'train', round, model });
  const context = { signal: new AbortController().signal, progress: () => {} };

  function client(body: string): Trainer {
    writeFileSync(join(folder, 'client.py'), `${head}\nfor task in site.tasks():\n${body.replace(/^/gm, '    ')}`);
    log.length = 0;
    const place = {
      job: 'job',
      site: 'site-1',
      folder,
      config: { add: 3 },
      seed: 7,
      log: (line: string) => log.push(line),
    };
    const spec = { kind: 'command' as const, replySeconds: 30, transfer: 'weights' as const };
    return commandTrainer({ ...spec, command: [python!, 'client.py'] }, place, 5);
  }

  const head = `
import struct
from consilium_client import Tensor, connect
site = connect()
print("rounds", site.rounds, "state", {name: struct.unpack("<q", t.data) for name, t in site.state.items()})`;
  const answer = `
if task.kind == "validate":
    task.reply(metrics={"loss": 0.5, "undefined": None})
else:
    w = task.model["w"]
    values = [x + site.config["add"] for x in struct.unpack("<2f", w.data)]
    task.model["w"] = Tensor(w.dtype, w.shape, struct.pack("<2f", *values))
    task.progress(1, 2, loss=0.25)
    site.save_state({"n": Tensor("int64", (), struct.pack("<q", task.round))})
    task.reply(weights=task.model, metrics={"loss": 0.1}, steps=4)`;

  it('trains, validates, and keeps a state; what it prints goes to the log of the site', async () => {
    const trainer = client(answer);
    expect(await trainer.validate!({ ...task(0), kind: 'validate' }, context)).toEqual({ loss: 0.5, undefined: null });
    const { weights, steps } = await trainer.train(task(1), context);
    expect([...weights.get('w')!.data]).toEqual([4, 5]);
    expect(weights.get('n')).toEqual(model.get('n'));
    expect(steps).toBe(4);
    const state = trainer.state!()!;
    await trainer.close!();
    expect(log).toEqual(['rounds 5 state {}']);

    const resumed = client(answer);
    resumed.restore!(state);
    await resumed.train(task(2), context);
    await resumed.close!();
    expect(log).toEqual(["rounds 5 state {'n': (1,)}"]);
  });

  it('tells why it failed; the traceback goes to the log of the site', async () => {
    const trainer = client('raise ValueError("no such patient")');
    await expect(trainer.train(task(0), context)).rejects.toThrow(
      /\(train task of round 0\): ValueError: no such patient$/,
    );
    await trainer.close!();
    expect(log.join('\n')).toContain('Traceback');
  });

  it.each([
    ['forgets to reply', 'pass', 'the train task of round 0 was not replied to'],
    ['replies with NaN', 'task.reply(weights=task.model, metrics={"a": float("nan")}, steps=1)', 'not JSON compliant'],
    ['forgets the steps', 'task.reply(weights=task.model)', 'of at least 1, but null came'],
  ])('is told of its mistake when it %s', async (_, body, message) => {
    const trainer = client(body);
    await expect(trainer.train(task(0), context)).rejects.toThrow(message);
    await trainer.close!();
  });

  it('ends when the site is gone', async () => {
    client('pass');
    const child = spawn(python!, ['client.py'], { cwd: folder });
    const hello = { type: 'hello', protocol: 1, job: '', site: '', folder, config: null, seed: 0, rounds: 1 };
    for (const piece of encodeFrame(hello)) child.stdin.write(piece);
    await once(child.stdout, 'data');
    child.stdin.end();
    expect(await once(child, 'exit')).toEqual([1, null]);
  });
});

const fitCurve: FedAvgRecipeOptions = {
  name: 'fit-curve',
  sites: 2,
  rounds: 5,
  model: {
    kind: 'tensors',
    tensors: { '0.weight': [16, 1], '0.bias': [16], '2.weight': [1, 16], '2.bias': [1] },
    start: 'normal',
  },
  trainCommand: ['python3', 'client.py'],
  siteConfig: { 'site-1': [-1, 0], 'site-2': [0, 1] },
  keyMetric: 'val_loss',
  keyMetricMode: 'min',
  folder: example,
};

describe('the example of a Python trainer', () => {
  it('is the same job in YAML', async () => {
    const job = await readJobFile(join(example, 'fit-curve.yaml'));
    expect(jobHash(job)).toBe(jobHash(new FedAvgRecipe(fitCurve).job));
  });

  it.skipIf(withTorch === undefined)('learns with torch, and gives the same bytes when it is resumed', async () => {
    const start = (name: string, options: SimEnvOptions = {}) =>
      new FedAvgRecipe({ ...fitCurve, trainCommand: [withTorch!, 'client.py'] }).execute(
        new SimEnv({ workspace: join(folder, name), ...options }),
      );
    const straight = await start('straight').result();
    expect(straight.final.metrics.val_loss).toBeLessThan(straight.history[0]!.metrics.val_loss! / 10);

    const stopped = start('stopped');
    for await (const event of stopped.events()) {
      if (event.kind === 'round-finished' && event.round === 1) stopped.abort();
    }
    await expect(stopped.result()).rejects.toMatchObject({ tag: 'AbortedError' });
    const resumed = await start('stopped', { resume: true }).result();
    expect(resumed.finalModelSha256).toBe(straight.finalModelSha256);
  });
});
