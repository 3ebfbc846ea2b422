/**
 * Statistics as tensors, float64 and one-dimensional, named `<feature>/<what>`: so filters see them as they see a model.
 *
 * @module
 */
import { type NamedTensors, type Tensor, tensor } from '../tensor/tensor';
import { isFeatureName } from './feature-name';

/** The numbers of each feature, by what they are. */
export type FeatureNumbers = ReadonlyMap<string, Readonly<Record<string, Float64Array>>>;

/** More numbers than this of one feature are refused. */
const longest = 100_010;

export function toTensors(features: FeatureNumbers): NamedTensors {
  const tensors = new Map<string, Tensor>();
  for (const [feature, numbers] of features) {
    for (const [what, data] of Object.entries(numbers)) {
      tensors.set(`${feature}/${what}`, tensor('float64', [data.length], data));
    }
  }
  return tensors;
}

/**
 * The inverse of {@link toTensors}, for tensors that came from elsewhere.
 *
 * @param known what there may be of a feature.
 * @returns what is wrong, as a text, when they are no such tensors.
 */
export function fromTensors(tensors: NamedTensors, known: readonly string[]): FeatureNumbers | string {
  const features = new Map<string, Record<string, Float64Array>>();
  for (const [name, { dtype, shape, data }] of tensors) {
    const slash = name.lastIndexOf('/');
    const feature = name.slice(0, slash);
    const what = name.slice(slash + 1);
    if (slash < 0 || !isFeatureName(feature) || !known.includes(what)) return `a tensor has the unknown name '${name}'`;
    const plain = dtype === 'float64' && shape.length === 1 && data instanceof Float64Array;
    if (!plain || data.length < 1 || data.length > longest) return `'${name}' is ${dtype} [${shape}]`;
    if (!data.every((value) => Math.abs(value) <= mostMagnitude)) return `'${name}' holds numbers out of range`;
    const numbers = features.get(feature) ?? {};
    numbers[what] = data;
    features.set(feature, numbers);
  }
  return features;
}

/** Sums of ten thousand such numbers are still finite. */
const mostMagnitude = 1e300;
