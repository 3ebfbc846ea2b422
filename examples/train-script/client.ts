/** This site's training code: fits y = slope · x + offset to the site's own points, by gradient descent with momentum. */
import { float32, floatsOf, type ScriptSite, type Tensor, z } from '../../src';

export default async function train(site: ScriptSite): Promise<void> {
  const { slope, offset } = z.strictObject({ slope: z.number(), offset: z.number() }).parse(site.config);
  const epochs = Number(site.args[0] ?? 10);
  const points = Array.from({ length: 20 }, (_, i) => ({ x: i / 20, y: (slope * i) / 20 + offset }));
  // A resumed run goes on with the momentum that it had.
  const momentum = Float32Array.from(floatsOf(site.state?.get('momentum') ?? float32([2], [0, 0])));

  for await (const task of site.tasks()) {
    const line = [...floatsOf(task.model.get('line') as Tensor)];
    if (task.kind === 'validate') {
      await task.reply({ metrics: { val_loss: loss(line).value } });
      continue;
    }
    for (let epoch = 0; epoch < epochs; epoch++) {
      task.signal.throwIfAborted();
      for (const [i, slope] of loss(line).gradient.entries()) {
        momentum[i] = 0.9 * momentum[i]! + slope;
        line[i]! -= 0.1 * momentum[i]!;
      }
      task.progress(epoch + 1, epochs);
    }
    site.saveState(new Map([['momentum', float32([2], momentum)]]));
    await task.reply({
      weights: new Map([['line', float32([2], line)]]),
      metrics: { train_loss: loss(line).value },
      steps: epochs,
    });
  }

  /** The mean squared error of a line, and its gradient. */
  function loss([a = 0, b = 0]: readonly number[]): { value: number; gradient: number[] } {
    const errors = points.map(({ x, y }) => a * x + b - y);
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    return {
      value: mean(errors.map((e) => e * e)),
      gradient: [mean(errors.map((e, i) => 2 * e * points[i]!.x)), mean(errors.map((e) => 2 * e))],
    };
  }
}
