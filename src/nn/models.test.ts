import { describe, expect, it } from 'vitest';
import { Builder } from '../graph/builder';
import { modelSpec } from '../jobs/model-spec';
import { spatialDimsOf, spatialDivisor } from '../jobs/models/spatial-divisor';
import { sizeOf } from '../tensor/tensor';
import { decodeTorchCheckpoint } from '../tensor/torch-checkpoint/read';
import { encodeTorchCheckpoint } from '../tensor/torch-checkpoint/write';
import { applyForTraining, declareModel } from './apply-model';
import { describeModel } from './describe-model';
import { createModel, initialise, listModels, type Model } from './model';
import { requireState, withAliases } from './model-state';

const numbersOf = ({ parameters }: Model): number => parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0);

/** The names and shapes of the dropouts that a training step of the model draws. */
function dropouts(model: Model, inputShape: readonly number[]) {
  const b = new Builder();
  const found: [string, string][] = [];
  const conditions = new Map(
    (model.conditions ?? []).map(({ name, features }) => [name, b.input(name, [inputShape[0]!, features])]),
  );
  applyForTraining(
    b,
    model,
    declareModel(b, model),
    { image: b.input('image', inputShape), conditions },
    (site, shape) => {
      found.push([site.name, `${shape}`]);
      return b.input(`mask.${site.name}`, shape);
    },
  );
  return found;
}

describe('the models', () => {
  it.each([
    ['segresnet', 4_702_227],
    ['translation-unet', 31_036_481],
    ['pflsynth', 15_986_817],
    ['patchgan', 2_764_609],
  ])('%s has as many numbers as the original: %i', (kind, numbers) => {
    expect(numbersOf(createModel({ kind }))).toBe(numbers);
  });

  it('judge 30×30 patches of a 256×256 image in PatchGAN', () => {
    expect(describeModel(createModel({ kind: 'patchgan' }), [1, 2, 256, 256]).output).toEqual([1, 1, 30, 30]);
  });

  it('can all be named in a job, with the image sizes that they take', () => {
    for (const { kind } of listModels()) {
      const model = createModel({ kind });
      const spec = modelSpec.parse({ kind });
      expect(spatialDivisor(spec), kind).toEqual(model.spatialDivisor);
      expect(spatialDimsOf(spec), kind).toBe(model.spatialDims);
    }
  });

  it.each([
    {
      kind: 'dynunet',
      kernelSize: [3, 3, 3, 3],
      strides: [1, [2, 2, 1], 2, 2],
      upsampleKernelSize: [[2, 2, 1], 2, 2],
      filters: [2, 2, 2, 2],
    },
    { kind: 'monai-unet', channels: [2, 2, 2, 2], strides: [[2, 2, 1], 2, 2] },
  ])('take lengths that the strides of each axis divide: $kind', (options) => {
    const model = createModel(options);
    const shape = [1, 1, 16, 8, 12];
    expect(describeModel(model, shape).output).toEqual([1, 2, 16, 8, 12]);
    expect(() => describeModel(model, [1, 1, 16, 12, 12])).toThrow(/multiples of 8, 8 and 4\], not \[1,1,16,12,12\]/);
  });

  it('drop elements where MONAI and pFLSynth do', () => {
    const unet = { kind: 'monai-unet', spatialDims: 2, channels: [4, 8], strides: [2], numResUnits: 1, dropout: 0.5 };
    expect(dropouts(createModel(unet), [1, 1, 8, 8])).toEqual([
      ['model.0.conv.unit0.adn.D', '1,4,4,4'],
      ['model.1.submodule.conv.unit0.adn.D', '1,8,4,4'],
      ['model.2.0.adn.D', '1,2,8,8'],
    ]);
    const synth = createModel({ kind: 'pflsynth', baseChannels: 8, latentSize: 8 });
    expect(dropouts(synth, [1, 1, 16, 16]).map(([name]) => name)).toContain('model_4.conv_block.4');
    expect(synth.parameters.map(({ name }) => name)).toContain('model_12.conv_block.6.weight');
  });

  it.each([
    [{ kind: 'dynunet', strides: [1, 2, 2] }, /strides: must have as many levels as kernelSize \(found \[1,2,2\]\)/],
    [{ kind: 'dynunet', deepSupervision: true, deepSuprNum: 5 }, /deepSuprNum: must leave out the top and the bottom/],
    [{ kind: 'dynunet', upsampleKernelSize: [2, 2, 2, 2, 3] }, /upsampleKernelSize: must be the strides of the levels/],
    [
      { kind: 'dynunet', resBlock: true, strides: [1, 2, 2, 2, 2, 3], upsampleKernelSize: [2, 2, 2, 2, 3] },
      /strides: must be 1 or 2 with resBlock \(found \[1,2,2,2,2,3\]\)/,
    ],
    [{ kind: 'monai-unet', kernelSize: 4 }, /kernelSize: must be odd \(found 4\)/],
    [{ kind: 'monai-unet', act: 'gelu' }, /act: .*"relu"\|"leaky-relu"\|"prelu"\|"silu"\|"mish"\|"elu" \(found gelu\)/],
    [{ kind: 'basic-unet', features: [32, 32] }, /features: .*6/],
    [{ kind: 'patchgan', baseChannel: 8 }, /Unrecognized key: "baseChannel"/],
    [{ kind: 'segresnet', spatialDims: 1 }, /spatialDims: .*2\|3 \(found 1\)/],
    [{ kind: 'monai-unet', spatialDims: 1, kernelSize: [3, 3] }, /must have one number per spatial axis \(found 1\)/],
    [{ kind: 'dynunet', dropout: 1 }, /dropout: .*<1 \(found 1\)/],
    [{ kind: 'vnet' }, /no model 'vnet'; the models are: segresnet, translation-unet/],
  ])('name the option that is wrong, its value and what is allowed: %o', (spec, message) => {
    expect(() => createModel(spec)).toThrow(message);
  });

  it.each([
    [{ kind: 'translation-unet', baseChannels: 4 }, [1, 1, 16, 16], "Layer 'down4."],
    [{ kind: 'basic-unet', spatialDims: 2 }, [1, 1, 16, 16], "Layer 'down_4."],
  ] as const)('name the layer whose channels have one voxel in training: $0.kind', (spec, shape, layer) => {
    expect(() => dropouts(createModel(spec), shape)).toThrow(layer);
  });

  it('come back from a file of PyTorch that lists blocks a second time', () => {
    const model = createModel({ kind: 'dynunet', spatialDims: 2, filters: [4, 4, 4, 4, 4, 4] });
    const state = initialise(model, 1);
    const { tensors } = decodeTorchCheckpoint(encodeTorchCheckpoint(withAliases(model, state)));
    expect(tensors.has('skip_layers.next_layer.downsample.conv1.conv.weight')).toBe(true);
    expect(requireState(model, tensors, 'dynunet.pt').tensors).toEqual(state);
  });
});
