/**
 * SegResNet's parameters: names and order as MONAI's `state_dict()`, which lists modules in the order in which they are
 * registered, and the other order in which construction draws random numbers for them.
 *
 * @module
 */

import type { SegResNetSettings } from '../../jobs/model-spec';
import type { ParameterSpec } from './definition';

const ones = { kind: 'constant', value: 1 } as const;
const zeros = { kind: 'constant', value: 0 } as const;

function convWeight(name: string, outs: number, ins: number, kernel: readonly number[]): ParameterSpec {
  const fanIn = ins * kernel.reduce((product, k) => product * k, 1);
  return { name: `${name}.conv.weight`, shape: [outs, ins, ...kernel], initialiser: { kind: 'uniform', fanIn } };
}

function norm(name: string, channels: number): readonly ParameterSpec[] {
  return [
    { name: `${name}.weight`, shape: [channels], initialiser: ones },
    { name: `${name}.bias`, shape: [channels], initialiser: zeros },
  ];
}

/** In state order: the decoder's blocks stand before its upsamplings. */
export function segResNetParameters(settings: SegResNetSettings): readonly ParameterSpec[] {
  const { spatialDims, initFilters, inChannels, outChannels, blocksDown, blocksUp } = settings;
  const cube = (k: number): readonly number[] => new Array<number>(spatialDims).fill(k);
  const block = (name: string, channels: number): readonly ParameterSpec[] => [
    ...norm(`${name}.norm1`, channels),
    ...norm(`${name}.norm2`, channels),
    convWeight(`${name}.conv1`, channels, channels, cube(3)),
    convWeight(`${name}.conv2`, channels, channels, cube(3)),
  ];
  const specs: ParameterSpec[] = [convWeight('convInit', initFilters, inChannels, cube(3))];
  for (const [level, blocks] of blocksDown.entries()) {
    const channels = initFilters * 2 ** level;
    if (level > 0) specs.push(convWeight(`down_layers.${level}.0`, channels, channels / 2, cube(3)));
    for (let i = 1; i <= blocks; i++) specs.push(...block(`down_layers.${level}.${i}`, channels));
  }
  const channelsUp = (level: number): number => initFilters * 2 ** (blocksUp.length - 1 - level);
  for (const [level, blocks] of blocksUp.entries()) {
    for (let i = 0; i < blocks; i++) specs.push(...block(`up_layers.${level}.${i}`, channelsUp(level)));
  }
  for (const level of blocksUp.keys()) {
    specs.push(convWeight(`up_samples.${level}.0`, channelsUp(level), 2 * channelsUp(level), cube(1)));
  }
  const last = convWeight('conv_final.2', outChannels, initFilters, cube(1));
  const bias = { name: 'conv_final.2.conv.bias', shape: [outChannels], initialiser: last.initialiser };
  return [...specs, ...norm('conv_final.0', initFilters), last, bias];
}

/** Construction order: each level of the decoder draws its blocks, then its upsampling. */
export function segResNetDrawOrder({ blocksDown, blocksUp }: SegResNetSettings): readonly string[] {
  const block = (name: string): readonly string[] => [`${name}.conv1.conv.weight`, `${name}.conv2.conv.weight`];
  const names = ['convInit.conv.weight'];
  for (const [level, blocks] of blocksDown.entries()) {
    if (level > 0) names.push(`down_layers.${level}.0.conv.weight`);
    for (let i = 1; i <= blocks; i++) names.push(...block(`down_layers.${level}.${i}`));
  }
  for (const [level, blocks] of blocksUp.entries()) {
    for (let i = 0; i < blocks; i++) names.push(...block(`up_layers.${level}.${i}`));
    names.push(`up_samples.${level}.0.conv.weight`);
  }
  return [...names, 'conv_final.2.conv.weight', 'conv_final.2.conv.bias'];
}
