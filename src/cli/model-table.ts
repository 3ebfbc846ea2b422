/**
 * A model's description as text.
 *
 * @module
 */

import { formatBytes } from '../graph/memory';
import type { ModelDescription } from '../nn/describe-model';
import { aligned } from './aligned';

/** One line a layer, then the sums. */
export function modelTable(description: ModelDescription): string {
  const header = ['layer', 'output', 'parameters', 'MMAC'];
  const rows = description.layers.map(({ layer, output, parameters, macs }) => [
    layer === '' ? '(model)' : layer,
    output.join('×'),
    parameters === 0 ? '' : grouped(parameters),
    macs === 0 ? '' : (macs / 1e6).toFixed(1),
  ]);
  const { kind, options, input, output, tensors, parameters, macs, stateBytes, activationBytes, stepBytes } =
    description;
  return [
    `${kind} ${JSON.stringify(options)}`,
    '',
    ...aligned([header, ...rows], 2).map((line) => line.trimEnd()),
    '',
    `image [${input}] → output [${output}]`,
    `parameters      ${grouped(parameters)} in ${tensors} tensors, ${formatBytes(stateBytes)}`,
    `forward pass    ${(macs / 1e9).toFixed(2)} GMAC`,
    `training step   ${formatBytes(activationBytes)} of activations kept for the backward pass; a process of about ${formatBytes(stepBytes)} or up to half more, before the optimiser`,
    '',
  ].join('\n');
}

function grouped(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ',');
}
