import { describe, expect, it } from 'vitest';
import * as golden from '../../test/support/models-golden';
import { both, largestDifference, relativeL2 } from '../../test/support/segresnet-golden';
import { openSession } from '../onnx/session';
import { perAxis } from '../util/per-axis';
import { exportInferenceOnnx } from './export-onnx';
import { createModel, initialise } from './model';
import { stateTensors } from './model-state';
import { openPredictor } from './predictor';
import { inferenceGraph } from './step-graph';

const cases = golden.goldenCases().map((example) => ({ ...example, name: `${example.kind}: ${example.title}` }));

describe.each(cases)('$name, against PyTorch', (example) => {
  const model = createModel({ kind: example.kind, ...example.options });

  it('has its names and order', () => {
    expect(model.parameters.map(({ name }) => name)).toEqual(example.names);
    expect((model.buffers ?? []).map(({ name }) => name)).toEqual(example.bufferNames);
    const own = example.state.filter((name) => !model.aliases?.has(name));
    expect(stateTensors(model).map(({ name }) => name)).toEqual(own);
    const others = example.state.filter((name) => model.aliases?.has(name));
    expect([...(model.aliases?.keys() ?? [])].sort()).toEqual(others.sort());
  });

  it('starts with its numbers', () => {
    const initial = initialise(model, example.seed);
    for (const [i, name] of example.names.entries()) {
      const { data } = initial.get(name)!;
      const uniform = model.parameters[i]!.initialiser.kind !== 'normal';
      const error = golden.tripleError(data as Float32Array, example.initial[i]!, i);
      expect(error, name).toBeLessThan(uniform ? 1e-13 : 2e-6);
    }
  });

  it.each(example.sizes)('has its results, loss and gradients for images $inputShape', async (size) => {
    const { inputShape, outputShape } = size;
    const feeds = golden.feedsOf(model, example, size);
    const { f64, f32 } = await both(golden.trainingGraph(model, inputShape, outputShape), feeds);
    expect(golden.tripleError(f64.get('trained')!, size.trained, 0)).toBeLessThan(1e-10);
    expect(largestDifference(f32.get('trained')!, f64.get('trained')!)).toBeLessThan(2e-5);
    expect(Math.abs(f64.get('loss')![0]! - size.loss)).toBeLessThan(1e-10);
    expect(Math.abs(f32.get('loss')![0]! - size.loss)).toBeLessThan(1e-6);
    for (const [i, name] of example.names.entries()) {
      const gradient = f64.get(`gradient.${name}`)!;
      expect(golden.tripleError(gradient, size.gradients[i]!, i), name).toBeLessThan(1e-9);
      // What is zero but for rounding (a shift before a normalisation) has no relative error.
      if (size.gradients[i]![1] < 1e-9)
        expect(largestDifference(f32.get(`gradient.${name}`)!, gradient)).toBeLessThan(1e-6);
      else expect(relativeL2(f32.get(`gradient.${name}`)!, gradient), name).toBeLessThan(1e-4);
    }
    const buffers = example.bufferNames.filter((name) => !name.endsWith('num_batches_tracked'));
    for (const [i, name] of buffers.entries()) {
      const index = example.bufferNames.indexOf(name);
      expect(golden.tripleError(f64.get(`next.${name}`)!, size.buffers[i]!, index), name).toBeLessThan(1e-10);
    }
    const evaluated = await both(inferenceGraph(model, inputShape), feeds);
    expect(golden.tripleError(evaluated.f64.get('logits')!, size.evaluated, 1)).toBeLessThan(1e-10);
  });

  it('exports to one file for every batch and size, with the results of the predictor', async () => {
    const state = golden.hashState(model);
    const divisors = perAxis(model.spatialDims, model.freeDivisor ?? model.spatialDivisor);
    const session = await openSession(await exportInferenceOnnx(model, state), { threads: 1 });
    const lengths = [1, 2].map((times) => divisors.map((divisor) => divisor * times));
    for (const [i, [first, ...others]] of lengths.entries()) {
      const inputShape = [i + 1, model.inChannels, first! * 2, ...others];
      const data = golden.image(inputShape);
      const conditions = golden.conditions(model, i + 1);
      const further = [...conditions].map(([name, code]) => {
        return [name, { shape: [i + 1, code.length / (i + 1)] as readonly number[], data: code }] as const;
      });
      const exported = await session.run(
        new Map([['image', { shape: inputShape as readonly number[], data }] as const, ...further]),
      );
      const predictor = await openPredictor({ model, inputShape, threads: 1 });
      const predicted = await predictor.run(state, data, conditions);
      expect(largestDifference(exported.get('logits')!, predicted)).toBeLessThan(2e-5);
    }
  });
});
