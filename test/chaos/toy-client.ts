/**
 * Training code of the chaos tests: arithmetic that depends on the model, on what the site kept and on the site, and takes a
 * while. Arguments: the length of a training in milliseconds; `sleep` or `spin`; a file that gets a line for each training.
 * What a site's configuration says: its target; rounds in which it fails; what goes wrong in round 1; whether it has no memory.
 */
import { appendFileSync } from 'node:fs';
import type { ScriptSite, Tensor } from '../../src';

interface Config {
  readonly target: number;
  /** Rounds in which it gives no update. */
  readonly absent?: readonly number[];
  readonly fault?: 'throws' | 'says nothing' | 'hangs' | 'exits';
  /** Without a state of its own: then only those count whose updates count. */
  readonly stateless?: boolean;
}

export default async function train(site: ScriptSite): Promise<void> {
  const [ms, how, log] = [Number(site.args[0]), site.args[1], site.args[2]];
  const { target, absent = [], fault, stateless = false } = site.config as unknown as Config;
  let momentum = Number(site.state?.get('momentum')?.data[0] ?? 0);
  for await (const task of site.tasks()) {
    const w = task.model.get('w') as Tensor;
    const mean = (w.data as Float32Array).reduce((sum, value) => sum + value, 0) / w.data.length;
    if (task.kind === 'validate') {
      await task.reply({ metrics: { score: mean } });
      continue;
    }
    if (absent.includes(task.round)) throw new Error('This site is absent.');
    if (log !== undefined) appendFileSync(log, `${site.name} ${task.round}\n`);
    if (task.round === 1 && fault !== undefined) {
      if (fault === 'throws') throw new Error("the patient's name is Doe");
      if (fault === 'exits') process.exit(3);
      if (fault === 'hangs') while (true);
      continue; // It says nothing, and asks for more.
    }
    if (how === 'spin') spin(ms);
    else await sleep(ms, task.signal);
    // As precise as what it keeps, so that a restart changes nothing.
    momentum = Math.fround(0.9 * (stateless ? 0 : momentum) + 0.1 * (target - mean));
    const weights = Float32Array.from(w.data as Float32Array, (value, i) => value + momentum + (i % 7) / 100);
    site.saveState(new Map([['momentum', { dtype: 'float32', shape: [1], data: Float32Array.of(momentum) }]]));
    await task.reply({
      weights: new Map([['w', { dtype: 'float32', shape: w.shape, data: weights }]]),
      metrics: { train_score: momentum },
      steps: target,
    });
  }
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

/** Blocks the thread, as a step of a real training does. */
function spin(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}
