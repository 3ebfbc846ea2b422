/**
 * Writes ONNX nodes. A node is written once: asking again for the same operator, inputs and attributes gives the first
 * one's outputs, so that rules may ask for what they need without knowing what others wrote.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import type { Shape } from '../tensor/tensor';
import type { Attribute, ElementType, OnnxNode, OnnxTensor } from './model-proto';
import type { Target } from './target';

export interface NodeOptions {
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly outputs?: number;
  readonly domain?: string;
  /** See {@link OnnxNode}. */
  readonly name?: string;
}

export class OnnxWriter {
  /** What the nodes are written for: rules choose their form by it. */
  readonly target: Target;
  readonly initializers: OnnxTensor[] = [];
  private readonly known = new Map<string, readonly string[]>();
  private readonly written: OnnxNode[] = [];
  private readonly producers = new Map<string, OnnxNode>();
  private readonly results = new Set<string>();
  private readonly renamed = new Map<string, string>();
  private next = 0;

  constructor(target: Target = {}) {
    this.target = target;
  }

  /** The nodes that named outputs depend on, in the order in which they were written, outputs under their names. */
  nodes(): readonly OnnxNode[] {
    const live = new Set(this.results);
    const needed = this.written.toReversed().filter(({ inputs, outputs }) => {
      const read = outputs.some((name) => live.has(name));
      if (read) for (const name of inputs) live.add(name);
      return read;
    });
    const named = (names: readonly string[]): readonly string[] => names.map((name) => this.renamed.get(name) ?? name);
    return needed.toReversed().map((node) => ({ ...node, inputs: named(node.inputs), outputs: named(node.outputs) }));
  }

  /** Appends a node, unless it is there already, and gives the names of its outputs. An input '' is one left out. */
  nodeAll(opType: string, inputs: readonly string[], options: NodeOptions = {}): readonly string[] {
    const { attributes = {}, outputs = 1, domain = '', name } = options;
    return this.once(JSON.stringify([domain, opType, inputs, attributes, outputs, name]), () => {
      const names = Array.from({ length: outputs }, () => this.freshName());
      const node = { ...(name !== undefined && { name }), opType, domain, inputs, outputs: names, attributes };
      this.written.push(node);
      for (const name of names) this.producers.set(name, node);
      return names;
    });
  }

  /** Appends a node with one output, unless it is there already, and gives the output's name. */
  node(opType: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>> = {}): string {
    return this.nodeAll(opType, inputs, { attributes })[0]!;
  }

  /** The node that writes a value; undefined for inputs and constants. */
  producer(name: string): OnnxNode | undefined {
    return this.producers.get(name);
  }

  /** A constant of float32 numbers. */
  floats(values: readonly number[] | Float32Array, dims: Shape = [values.length]): string {
    return this.constant('float32', dims, Float32Array.from(values));
  }

  /** A constant of int64 numbers: axes, shapes, pads. */
  ints(values: readonly number[], dims: Shape = [values.length]): string {
    return this.constant('int64', dims, BigInt64Array.from(values, BigInt));
  }

  /** A constant of int32 numbers: places in a tensor. Devices other than the CPU compute with these, not with int64. */
  places(values: readonly number[], dims: Shape = [values.length]): string {
    return this.constant('int32', dims, Int32Array.from(values));
  }

  scalar(value: number): string {
    return this.floats([value], []);
  }

  reshape(x: string, shape: Shape): string {
    return this.node('Reshape', [x, this.ints(shape)]);
  }

  transpose(x: string, order: readonly number[]): string {
    return this.node('Transpose', [x], { perm: order });
  }

  /** x[start : end : step] along the given axes. */
  slice(
    x: string,
    axes: readonly number[],
    start: readonly number[],
    end: readonly number[],
    step: readonly number[] = axes.map(() => 1),
  ): string {
    return this.node('Slice', [x, this.ints(start), this.ints(end), this.ints(axes), this.ints(step)]);
  }

  /** Makes a value an output called `name`, by renaming it; an input, or a value that is an output already, is copied. */
  nameOutput(value: string, name: string): void {
    const rename = this.producers.has(value) && !this.renamed.has(value);
    if (rename) this.renamed.set(value, name);
    else this.written.push({ opType: 'Identity', domain: '', inputs: [value], outputs: [name], attributes: {} });
    this.results.add(rename ? value : name);
  }

  private constant(type: ElementType, dims: Shape, data: Float32Array | Int32Array | BigInt64Array): string {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const write = (): readonly string[] => {
      const name = this.freshName();
      this.initializers.push({ name, type, dims, bytes });
      return [name];
    };
    return this.once(`${type}[${dims}]${createHash('sha256').update(bytes).digest('base64')}`, write)[0]!;
  }

  private once(key: string, write: () => readonly string[]): readonly string[] {
    const known = this.known.get(key);
    if (known) return known;
    const names = write();
    this.known.set(key, names);
    return names;
  }

  private freshName(): string {
    return `t${this.next++}`;
  }
}
