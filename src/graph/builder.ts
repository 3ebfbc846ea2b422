/**
 * Writes a graph node by node; each node's shapes are checked as it is written.
 *
 * @module
 */
import { ConfigError, InternalError, ShapeError } from '../errors';
import { type Shape, sameShape } from '../tensor/tensor';
import type { Graph, Node, Value } from './graph';
import type { None, Op, Ops } from './ops';
import { type ConvOptions, convAttrs } from './ops/conv';
import { eliminateCommonSubexpressions, eliminateDeadCode } from './passes';
import { shapeRules } from './shape-rules';

const none: None = {};

export class Builder {
  private readonly inputs = new Map<string, Value>();
  private readonly parameters = new Map<string, Value>();
  private readonly outputs = new Map<string, Value>();
  private readonly written: Node[] = [];
  private readonly detachedIds = new Set<number>();
  private nextId = 0;
  private layer = '';

  /** The nodes written so far, in order. */
  get nodes(): readonly Node[] {
    return this.written;
  }

  /** The ids of values through which nothing is differentiated. */
  get detached(): ReadonlySet<number> {
    return this.detachedIds;
  }

  /** A value fed from outside. @throws ConfigError when the name is taken; ShapeError when a length is no whole number ≥ 0 */
  input(name: string, shape: Shape): Value {
    return this.declare(this.inputs, name, shape);
  }

  /** A trained value fed from outside. @throws ConfigError, ShapeError as `input` */
  parameter(name: string, shape: Shape): Value {
    return this.declare(this.parameters, name, shape);
  }

  /** Names a value as a result of the graph. @throws ConfigError when the name is taken. */
  output(name: string, value: Value): void {
    if (this.outputs.has(name)) throw new ConfigError(`The graph has an output '${name}' already.`);
    this.outputs.set(name, value);
  }

  /** Attributes the nodes that `write` emits to a layer, named by its whole path: in what is printed and in errors. */
  inLayer<T>(path: string, write: () => T): T {
    const outer = this.layer;
    this.layer = path;
    try {
      return write();
    } finally {
      this.layer = outer;
    }
  }

  /** Appends a node and gives all its outputs. @throws ShapeError when the inputs' shapes break the operator's rule. */
  emitAll<K extends Op>(op: K, inputs: readonly Value[], attrs: Ops[K]): readonly Value[] {
    const outputs = this.outputShapes(op, inputs, attrs).map((shape) => this.value(shape));
    this.written.push({ op, inputs, attrs, outputs, layer: this.layer } as unknown as Node);
    return outputs;
  }

  /** Appends a node and gives its first output. @throws ShapeError when the inputs' shapes break the operator's rule. */
  emit<K extends Op>(op: K, inputs: readonly Value[], attrs: Ops[K]): Value {
    return this.emitAll(op, inputs, attrs)[0]!;
  }

  /** The finished graph, without duplicate and dead nodes. The builder may go on. */
  build(): Graph {
    if (this.outputs.size === 0) throw new InternalError('A graph without outputs computes nothing.');
    const graph: Graph = {
      inputs: new Map(this.inputs),
      parameters: new Map(this.parameters),
      nodes: [...this.written],
      outputs: new Map(this.outputs),
    };
    return eliminateDeadCode(eliminateCommonSubexpressions(graph));
  }

  scalar(value: number): Value {
    return this.emit('Constant', [], { shape: [], values: [value] });
  }

  add(a: Value, b: Value): Value {
    return this.emit('Add', [a, b], none);
  }

  sub(a: Value, b: Value): Value {
    return this.emit('Sub', [a, b], none);
  }

  mul(a: Value, b: Value): Value {
    return this.emit('Mul', [a, b], none);
  }

  div(a: Value, b: Value): Value {
    return this.emit('Div', [a, b], none);
  }

  /** value · factor. */
  scale(value: Value, factor: number): Value {
    return this.mul(value, this.scalar(factor));
  }

  neg(x: Value): Value {
    return this.emit('Neg', [x], none);
  }

  sqrt(x: Value): Value {
    return this.emit('Sqrt', [x], none);
  }

  sigmoid(x: Value): Value {
    return this.emit('Sigmoid', [x], none);
  }

  relu(x: Value): Value {
    return this.emit('Relu', [x], none);
  }

  /** The sum over `axes` (all when omitted), which stay as axes of length 1. */
  reduceSum(x: Value, axes: readonly number[] = x.shape.map((_, i) => i)): Value {
    return axes.length === 0 ? x : this.emit('ReduceSum', [x], { axes });
  }

  /** Σ a·b over `axes` (all when omitted), which stay as axes of length 1. */
  sumProduct(a: Value, b: Value, axes: readonly number[] = a.shape.map((_, i) => i)): Value {
    return this.emit('SumProduct', [a, b], { axes });
  }

  reshape(x: Value, shape: Shape): Value {
    return sameShape(x.shape, shape) ? x : this.emit('Reshape', [x], { shape });
  }

  /** x as a constant for every derivative: nothing is differentiated through it. */
  detach(x: Value): Value {
    const constant = this.emit('Reshape', [x], { shape: x.shape });
    this.detachedIds.add(constant.id);
    return constant;
  }

  expand(x: Value, shape: Shape): Value {
    return sameShape(x.shape, shape) ? x : this.emit('Expand', [x], { shape });
  }

  transpose(x: Value, order: readonly number[]): Value {
    return this.emit('Transpose', [x], { order });
  }

  conv(x: Value, weight: Value, options: ConvOptions): Value {
    return this.emit('Conv', [x, weight], convAttrs(options));
  }

  /** The adjoint of broadcasting to `from.shape`: sums over the axes that were stretched. */
  unbroadcast(from: Value, shape: Shape): Value {
    const extra = from.shape.length - shape.length;
    const axes = from.shape.flatMap((n, i) => (i < extra || (shape[i - extra] === 1 && n !== 1) ? [i] : []));
    return this.reshape(this.reduceSum(from, axes), shape);
  }

  /** A ShapeError that names the layer being written. */
  shapeError(message: string, options?: { readonly hint?: string }): ShapeError {
    return new ShapeError(this.layer === '' ? message : `Layer '${this.layer}': ${message}`, options);
  }

  private outputShapes<K extends Op>(op: K, inputs: readonly Value[], attrs: Ops[K]): readonly Shape[] {
    const shapes = inputs.map((value) => value.shape);
    try {
      return shapeRules[op](shapes, attrs);
    } catch (cause) {
      throw cause instanceof ShapeError ? this.shapeError(cause.message) : cause;
    }
  }

  private declare(table: Map<string, Value>, name: string, shape: Shape): Value {
    if (this.inputs.has(name) || this.parameters.has(name)) {
      throw new ConfigError(`The graph has an input or parameter '${name}' already.`);
    }
    if (!shape.every((n) => Number.isSafeInteger(n) && n >= 0)) {
      throw new ShapeError(`'${name}' must have lengths that are whole numbers from 0, not [${shape}].`);
    }
    const value = this.value(shape);
    table.set(name, value);
    return value;
  }

  private value(shape: Shape): Value {
    return { id: this.nextId++, dtype: 'float32', shape };
  }
}
