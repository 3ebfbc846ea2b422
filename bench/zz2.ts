import { encodeModel } from '../src/onnx/model-proto';
import { openSession } from '../src/onnx/session';
import { OnnxWriter } from '../src/onnx/writer';

async function main() {
  const shape = [1, 16, 64, 64, 64];
  const n = shape.reduce((a, b) => a * b);
  const g = Float32Array.from({ length: n }, (_, i) => Math.sin(i));
  const y = Float32Array.from({ length: n }, (_, i) => Math.max(0, Math.cos(i)));
  const forms: Record<string, (w: OnnxWriter, g: string, y: string) => string> = {
    where: (w, g, y) => w.node('Where', [w.node('Greater', [y, w.scalar(0)]), g, w.scalar(0)]),
    sign: (w, g, y) => w.node('Mul', [g, w.node('Sign', [y])]),
    cast: (w, g, y) => w.node('Mul', [g, w.node('Cast', [w.node('Greater', [y, w.scalar(0)])], { to: 1 })]),
    mulclip: (w, g, y) => w.node('Mul', [g, w.node('Min', [w.node('Mul', [y, w.scalar(3e38)]), w.scalar(1)])]),
    mulclip2: (w, g, y) =>
      w.node('Mul', [g, w.node('Clip', [w.node('Mul', [y, w.scalar(3e38)]), w.scalar(0), w.scalar(1)])]),
    div: (w, g, y) => w.node('Mul', [g, w.node('Div', [y, w.node('Add', [y, w.scalar(1.1754943508222875e-38)])])]),
    hard: (w, g, y) =>
      w.node('Mul', [g, w.node('HardSigmoid', [y], { alpha: { float: 3e38 }, beta: { float: 0 } } as any)]),
  };
  const sessions: [string, any][] = [];
  for (const [name, form] of Object.entries(forms)) {
    const w = new OnnxWriter();
    // several in a row to amortise
    let v = 'g';
    for (let i = 0; i < 4; i++) v = form(w, v, `y${i}`);
    const first = w.slice(w.reshape(v, [n]), [0], [0], [8]);
    w.nameOutput(first, 'out');
    const bytes = encodeModel({
      name: 'x',
      opset: 21,
      domains: {},
      inputs: [{ name: 'g', dims: shape }, ...[0, 1, 2, 3].map((i) => ({ name: `y${i}`, dims: shape }))],
      outputs: [{ name: 'out', dims: [8] }],
      initializers: w.initializers,
      nodes: w.nodes(),
    } as any);
    sessions.push([name, await openSession(bytes, { threads: 2 })]);
  }
  const feeds = new Map<string, any>([
    ['g', { shape, data: g }],
    ...[0, 1, 2, 3].map((i) => [`y${i}`, { shape, data: y }] as const),
  ]);
  const times: Record<string, number[]> = {};
  for (let r = 0; r < 8; r++)
    for (const [name, s] of sessions) {
      const t = performance.now();
      const o = await s.run(feeds);
      (times[name] ??= []).push((performance.now() - t) / 4);
      if (r === 0) console.log(name, [...o.get('out')!].map((x: any) => x.toFixed(3)).join(' '));
    }
  for (const [name, t] of Object.entries(times)) console.log(name, t.sort((a, b) => a - b)[3]!.toFixed(2));
}
main();
