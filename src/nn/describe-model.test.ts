import { describe, expect, it } from 'vitest';
import { describeModel } from './describe-model';
import { segResNet } from './model';

describe('describeModel', () => {
  const model = segResNet();

  it('counts the multiply–accumulates of SegResNet that its layers imply', () => {
    const perVoxel = 70_576;
    for (const spatial of [
      [64, 64, 64],
      [16, 24, 8],
    ]) {
      const voxels = spatial.reduce((product, n) => product * n, 1);
      expect(describeModel(model, [1, 4, ...spatial]).macs).toBe(perVoxel * voxels);
    }
    expect((perVoxel * 64 ** 3) / 1e9).toBeCloseTo(18.5, 2);
  });

  it('attributes shapes, numbers and multiply–accumulates to layers by the names of the state', () => {
    const { layers, parameters, tensors, output } = describeModel(model, [1, 4, 64, 64, 64]);
    const byName = new Map(layers.map((layer) => [layer.layer, layer]));
    expect(byName.get('convInit.conv')).toEqual({
      layer: 'convInit.conv',
      output: [1, 16, 64, 64, 64],
      parameters: 1728,
      macs: 1728 * 64 ** 3,
    });
    expect(byName.get('down_layers.3.4.norm2')).toMatchObject({ output: [1, 128, 8, 8, 8], parameters: 256, macs: 0 });
    expect(byName.get('up_samples.2.1')).toMatchObject({ output: [1, 16, 64, 64, 64], parameters: 0 });
    expect(layers.reduce((sum, layer) => sum + layer.parameters, 0)).toBe(parameters);
    expect({ parameters, tensors, output }).toEqual({ parameters: 4_702_227, tensors: 83, output: [1, 3, 64, 64, 64] });
  });

  it('counts the activations that a training step keeps: those of PyTorch and the logits', () => {
    const perVoxel = describeModel(segResNet({ dropoutProb: 0 }), [1, 4, 32, 32, 32]).activationBytes / 32 ** 3;
    // 1017 bytes a voxel are what PyTorch saves for the backward pass of the network alone; three logits are 12 more.
    expect(perVoxel).toBeGreaterThan(1017);
    expect(perVoxel).toBeLessThan(1017 + 12 + 1);
  });

  it('says about what a process needs for a step: no more than was measured, and two thirds of it at least', () => {
    for (const [length, measured] of [
      [96, 1500],
      [128, 2880],
    ] as const) {
      const share = describeModel(model, [1, 4, length, length, length]).stepBytes / (measured * 2 ** 20);
      expect(share).toBeGreaterThan(2 / 3);
      expect(share).toBeLessThan(1);
    }
  });

  it('refuses an image that does not fit', () => {
    expect(() => describeModel(model, [1, 4, 30, 32, 32])).toThrow(/multiples of 8/);
  });
});
