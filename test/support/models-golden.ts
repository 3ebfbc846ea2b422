/** Runs networks as `make/models.py` does: weights from the hash, a squared error as the loss. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Builder } from '../../src/graph/builder';
import { differentiate } from '../../src/graph/differentiate';
import type { Graph, Value } from '../../src/graph/graph';
import { applyForTraining, declareModel } from '../../src/nn/apply-model';
import type { Model } from '../../src/nn/model';
import type { ParameterSpec } from '../../src/nn/models/definition';
import { float32, type NamedTensors, type Shape, sizeOf, type Tensor, tensor } from '../../src/tensor/tensor';
import { fill as u } from '../golden/fill';
import { type Numbers, statsOf } from './segresnet-golden';

/** Sum, norm and projection. */
export type Triple = readonly [sum: number, l2: number, projection: number];

export interface GoldenSize {
  readonly inputShape: Shape;
  readonly outputShape: Shape;
  readonly evaluated: Triple;
  readonly trained: Triple;
  readonly loss: number;
  readonly gradients: readonly Triple[];
  /** Of the float32 buffers after the forward pass in training. */
  readonly buffers: readonly Triple[];
  /** Shapes of the dropouts' factors. */
  readonly dropouts: readonly Shape[];
}

export interface GoldenCase {
  readonly kind: string;
  readonly title: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly seed: number;
  readonly state: readonly string[];
  readonly names: readonly string[];
  readonly bufferNames: readonly string[];
  readonly dropoutNames: readonly string[];
  readonly initial: readonly Triple[];
  readonly sizes: readonly GoldenSize[];
}

export function goldenCases(): readonly GoldenCase[] {
  const bytes = readFileSync(join(__dirname, '../golden/models.json.gz'));
  return JSON.parse(gunzipSync(bytes).toString('utf8')) as readonly GoldenCase[];
}

/** The largest difference of the statistics, relative to the tensor's norm, or absolute when that is tiny. */
export function tripleError(t: ArrayLike<number>, expected: Triple, index: number): number {
  const { sum, l2, projection } = statsOf(t, index);
  const differences = [sum - expected[0], l2 - expected[1], projection - expected[2]];
  return Math.max(...differences.map(Math.abs)) / Math.max(expected[1], 1e-3);
}

function filled(index: number, shape: Shape, value: (r: number) => number): Float32Array {
  return Float32Array.from({ length: sizeOf(shape) }, (_, j) => value(u(index, j)));
}

export const image = (shape: Shape): Float32Array => filled(1000, shape, (r) => (r - 0.5) * 4);
/** The further inputs of a model for `samples` images. */
export function conditions({ conditions = [] }: Model, samples: number): Numbers {
  return new Map(
    conditions.map(({ name, features }) => [name, filled(4000, [samples, features], (r) => (r - 0.5) * 2)]),
  );
}
export const target = (shape: Shape): Float32Array => filled(2000, shape, (r) => (r - 0.5) * 2);

/** Parameters and buffers from the hash. */
export function hashState(model: Model): NamedTensors {
  const parameters = model.parameters.map((spec, i): readonly [string, Tensor] => {
    const values = filled(i, spec.shape, (r) => weight(spec, r));
    return [spec.name, float32(spec.shape, values)];
  });
  const buffers = (model.buffers ?? []).map(({ name, shape, dtype, initial }, i): readonly [string, Tensor] => {
    if (dtype === 'int64') return [name, tensor('int64', shape, new BigInt64Array(sizeOf(shape)))];
    return [
      name,
      float32(
        shape,
        filled(3000 + i, shape, (r) => initial + 0.2 * (r - 0.5)),
      ),
    ];
  });
  return new Map([...parameters, ...buffers]);
}

function weight({ shape, initialiser }: ParameterSpec, r: number): number {
  // The equalised layers of the generator: their weights are scaled when they are used.
  if (initialiser.kind === 'normal' && initialiser.deviation >= 1) return (2 * r - 1) * initialiser.deviation;
  if (shape.length > 1) return (2 * r - 1) / Math.sqrt(sizeOf(shape.slice(1)));
  const centre = { constant: 'value' in initialiser ? initialiser.value : 0, normal: 1, uniform: 0 }[initialiser.kind];
  return centre + 0.2 * (r - 0.5);
}

const maskName = (site: string): string => `mask.${site}`;

/** `trained`, `loss`, `gradient.…` and `next.…` of the buffers; the factors of dropouts are fed. */
export function trainingGraph(model: Model, inputShape: Shape, outputShape: Shape): Graph {
  const b = new Builder();
  const values = declareModel(b, model);
  const { result, buffers } = applyForTraining(b, model, values, inputsOf(b, model, inputShape), ({ name }, shape) =>
    b.input(maskName(name), shape),
  );
  const loss = meanSquare(b, result, b.input('target', outputShape));
  b.output('trained', result);
  b.output('loss', loss);
  const names = [...values.parameters.keys()];
  for (const [i, gradient] of differentiate(b, loss, [...values.parameters.values()]).entries()) {
    b.output(`gradient.${names[i]}`, gradient);
  }
  for (const [name, next] of buffers) b.output(`next.${name}`, next);
  return b.build();
}

function inputsOf(b: Builder, { conditions = [] }: Model, inputShape: Shape) {
  const condition = (name: string, features: number): Value => b.input(name, [inputShape[0]!, features]);
  return {
    image: b.input('image', inputShape),
    conditions: new Map(conditions.map(({ name, features }) => [name, condition(name, features)])),
  };
}

function meanSquare(b: Builder, x: Value, y: Value): Value {
  const difference = b.sub(x, y);
  return b.reshape(b.scale(b.sumProduct(difference, difference), 1 / sizeOf(x.shape)), []);
}

/** Which elements stay, and the factor of those. */
function masks({ dropoutNames, options }: GoldenCase, { dropouts }: GoldenSize): Numbers {
  const probability = Number(options.dropout);
  const factor = (r: number): number => (r >= probability ? 1 / (1 - probability) : 0);
  return new Map(dropoutNames.map((name, i) => [maskName(name), filled(6000 + i, dropouts[i]!, factor)]));
}

/** What a graph of these is fed. */
export function feedsOf(model: Model, example: GoldenCase, size: GoldenSize): Numbers {
  const { inputShape, outputShape } = size;
  const state = [...hashState(model)].filter(([, { dtype }]) => dtype === 'float32');
  return new Map([
    ...state.map(([name, { data }]) => [name, data as Float32Array] as const),
    ['image', image(inputShape)],
    ...conditions(model, inputShape[0]!),
    ['target', target(outputShape)],
    ...masks(example, size),
  ]);
}
