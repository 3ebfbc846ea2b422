import { describe, expect, it } from 'vitest';
import { float32 } from '../tensor/tensor';
import { positiveVariances } from './positive-variances';

const model = new Map([
  ['norm.running_var', float32([3], [0, -2, 3])],
  ['norm.running_mean', float32([1], [-4])],
  ['odd.running_var', float32([1], [-5])],
]);

describe('running variances', () => {
  it('below 0 are kept at a small number above it, and told', () => {
    const { model: found, notes } = positiveVariances(model, new Set(['odd.running_var']));
    expect(found.get('norm.running_var')!.data).toEqual(Float32Array.of(0, 1e-5, 3));
    expect([...found.keys()]).toEqual([...model.keys()]);
    expect(notes).toEqual([expect.stringMatching(/below 0.*: norm\.running_var\..*personal: normalisation/)]);
  });

  it('of which sites have their own are kept above 0 without a word', () => {
    const { model: found, notes } = positiveVariances(model, new Set(), new Set(['norm.running_var']));
    expect(found.get('norm.running_var')!.data).toEqual(Float32Array.of(0, 1e-5, 3));
    expect(notes).toEqual([expect.stringMatching(/were kept at 0\.00001: odd\.running_var\. /)]);
    const personal = new Set(['norm.running_var', 'odd.running_var']);
    expect(positiveVariances(model, new Set(), personal).notes).toEqual([]);
  });

  it('are left alone otherwise, and so are parameters of that name', () => {
    const fine = new Map([...model, ['norm.running_var', float32([3], [0, 2, 3])] as const]);
    expect(positiveVariances(fine, new Set(['odd.running_var']))).toEqual({ model: fine, notes: [] });
  });
});
