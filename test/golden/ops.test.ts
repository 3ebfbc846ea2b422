/**
 * Operators and their gradients against PyTorch (ops.json, made by make/ops.py): the interpreter in float64, the runtime
 * in float32.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { interpret } from '../../src/graph/interpret';
import type { Op } from '../../src/graph/ops';
import { toOnnx } from '../../src/onnx/export';
import { openSession } from '../../src/onnx/session';
import { targetFor } from '../../src/onnx/target';
import { type OpCase, opCases } from '../support/op-cases';
import { opGraph } from '../support/op-graph';
import { fill } from './fill';

/** Of each result: a checksum with hashed weights, then some elements. */
type Summaries = Readonly<Record<string, readonly number[]>>;

const golden: Readonly<Record<string, Summaries>> = JSON.parse(readFileSync(join(__dirname, 'ops.json'), 'utf8'));

const WEIGHTS = 31;
const SAMPLES = 12;

/** Gradients are covered as those of what they belong to, one as the layer that it also is; constants are what they are. */
const hasGolden = (op: Op): boolean => op === 'ConvInputGrad' || (!op.endsWith('Grad') && op !== 'Constant');

function summary(values: ArrayLike<number>): readonly number[] {
  const step = Math.ceil(values.length / SAMPLES);
  const all = Array.from(values);
  const checksum = all.reduce((sum, x, i) => sum + x * fill(WEIGHTS, i), 0);
  return [checksum, ...all.filter((_, i) => i % step === 0)];
}

/** The largest difference of two results, relative to the largest element and, for the checksum, their number. */
function difference(expected: readonly number[], values: ArrayLike<number>): number {
  const actual = summary(values);
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  const scale = 1 + Array.from(values).reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  const errors = expected.map((x, i) => Math.abs(x - actual[i]!) / (i === 0 ? Math.sqrt(values.length) : 1));
  return Math.max(...errors) / scale;
}

function expectGolden(key: string, results: ReadonlyMap<string, ArrayLike<number>>, tolerance: number): void {
  const expected = golden[key];
  expect(expected, `${key} is in ops.json: see make/ops.py`).toBeDefined();
  for (const [name, values] of results) {
    if (/^(y0|dx\d+)$/.test(name)) expect(difference(expected![name]!, values), name).toBeLessThan(tolerance);
  }
}

describe.each((Object.keys(opCases) as Op[]).filter(hasGolden))('%s', (op) => {
  it.each(opCases[op] as readonly OpCase<Op>[])('equals PyTorch, with its gradients: $title', async (example) => {
    const { graph, feeds } = opGraph(op, example);
    const key = `${op}: ${example.title}`;
    expectGolden(key, interpret(graph, feeds), 1e-11);
    const session = await openSession(toOnnx(graph, await targetFor('cpu')), { threads: 1 });
    const inputs = [...graph.inputs].map(([name, { shape }]) => [name, { shape, data: feeds.get(name)! }] as const);
    expectGolden(key, await session.run(new Map(inputs)), 2e-6);
  });
});

describe('ops.json', () => {
  it('has only cases that exist, each once', () => {
    const keys = Object.entries(opCases).flatMap(([op, cases]) => cases.map(({ title }) => `${op}: ${title}`));
    expect(new Set(keys).size).toBe(keys.length);
    expect(Object.keys(golden).filter((key) => !keys.includes(key))).toEqual([]);
  });
});
