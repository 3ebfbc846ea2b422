/**
 * PatchGAN: a discriminator that judges overlapping patches of a 2-D image (Isola et al. 2017, arXiv:1611.07004). The result
 * is one number per patch, without an activation.
 *
 * @module
 */
import { normOf } from '../../jobs/models/common';
import { type PatchGanOptions, type PatchGanSettings, patchGanOptions } from '../../jobs/models/patchgan';
import { parseOptions } from '../../util/parse-options';
import { activation } from '../modules/activation';
import { convolution } from '../modules/convolution';
import { ganNormal } from '../modules/gan-normal';
import { modelOf } from '../modules/model-of';
import { chain, compose, type Module } from '../modules/module';
import { normalisation } from '../modules/normalisation';
import { redrawn } from '../modules/redrawn';
import type { Model } from './definition';

const DIMS = 2;

/** The network as data and as a function that writes graph. @throws ConfigError when an option is out of range */
export function patchGan(options: PatchGanOptions = {}): Model {
  const settings = parseOptions('patchgan', patchGanOptions, options);
  const { inChannels, layers } = settings;
  const head = { kind: 'patchgan', options: settings, spatialDims: DIMS, inChannels, outChannels: 1 };
  return modelOf({ ...head, spatialDivisor: 1, freeDivisor: 2 ** (layers + 2) }, redrawn(network(settings), ganNormal));
}

function network({ inChannels, baseChannels, layers, norm }: PatchGanSettings): Module {
  const active = (): Module => activation({ kind: 'leaky-relu', slope: 0.2 });
  const conv = (ins: number, outs: number, stride: number, bias: boolean): Module =>
    convolution({ dims: DIMS, ins, outs, kernel: 4, stride, padding: 1, bias });
  const parts: Module[] = [conv(inChannels, baseChannels, 2, true), active()];
  let ins = baseChannels;
  for (let layer = 1; layer <= layers; layer++) {
    const outs = baseChannels * Math.min(2 ** layer, 8);
    // Batch normalisation has a shift of its own; instance normalisation is without.
    const normalised = normalisation(normOf(norm, 1), outs);
    parts.push(conv(ins, outs, layer < layers ? 2 : 1, norm === 'instance'), normalised, active());
    ins = outs;
  }
  parts.push(conv(ins, 1, 1, true));
  return compose({ model: chain(...parts) }, (call, _, x) => call('model', x!));
}
