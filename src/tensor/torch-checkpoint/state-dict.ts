/**
 * Where in a checkpoint the weights are.
 *
 * @module
 */
import { DataError } from '../../errors';
import { numpyTensor } from './numpy-array';
import { isKind, type PickleDict, type PickleValue } from './pickle-value';

export interface FoundStateDict {
  readonly dict: PickleDict;
  /** The key it stands under; `undefined` when the file is the state dict itself. */
  readonly wrapper: string | undefined;
}

/**
 * Keys under which training code keeps a network: ours and NVFlare's, Lightning's, PyTorch's tutorials', those of MONAI's
 * `CheckpointSaver` (`net`) and bundles (`network`), nnU-Net's, and those of image translation.
 */
const knownKeys: ReadonlySet<string> = new Set([
  'model',
  'state_dict',
  'model_state_dict',
  'net',
  'network',
  'network_weights',
  'generator',
]);

const saveHint = 'Save only the weights: torch.save({"model": model.state_dict()}, path).';

/**
 * The weights: the one state dict under a known key, else the file itself, else the only state dict under any key. Dicts
 * of NumPy's arrays count only where no dict has tensors of torch.
 *
 * @throws DataError when there is none, or more than one that is as good
 */
export function findStateDict(value: PickleValue): FoundStateDict {
  if (isKind(value, 'object')) throw noWeights(`it is the Python object '${shownName(value.name)}'`);
  if (!isKind(value, 'dict')) throw new DataError('The checkpoint holds no dict, so no weights by name.');
  for (const isWeight of [isTensor, isArray]) {
    const under = [...value.entries].filter(([, item]) => hasWeight(item, isWeight)).map(([key]) => String(key));
    const known = under.filter((key) => knownKeys.has(key));
    if (known.length > 0) return only(value, known);
    if (hasWeight(value, isWeight)) return { dict: value, wrapper: undefined };
    if (under.length > 0) return only(value, under);
  }
  const empty = [...value.entries].find(([key, item]) => knownKeys.has(String(key)) && isEmpty(item));
  if (empty !== undefined) return { dict: empty[1] as PickleDict, wrapper: String(empty[0]) };
  if (isEmpty(value)) return { dict: value, wrapper: undefined };
  throw noWeights(`its keys are ${describeKeys(value, [...value.entries.keys()].slice(0, 10)).join(', ')}`);
}

/** The keys as text; those of placeholders with the name of the Python object that was not made. */
export function describeKeys(dict: PickleDict, keys: readonly PickleValue[]): readonly string[] {
  return keys.map((key) => {
    const value = dict.entries.get(key);
    const text = typeof key === 'object' && key !== null ? '(object)' : String(key);
    return isKind(value, 'object') ? `${text} (Python object '${shownName(value.name)}')` : text;
  });
}

function only(file: PickleDict, keys: readonly string[]): FoundStateDict {
  const [wrapper, second] = keys;
  if (second !== undefined) {
    const names = keys.slice(0, 10).map((key) => `"${key}"`);
    throw new DataError(
      `The checkpoint has several state dicts, under ${names.join(' and ')}: it cannot be told which is meant.`,
      {
        hint: `In Python: torch.save({"model": torch.load(path, weights_only=False)["${wrapper}"]}, new_path).`,
      },
    );
  }
  return { dict: file.entries.get(wrapper!) as PickleDict, wrapper };
}

function noWeights(what: string): DataError {
  return new DataError(
    `The checkpoint has no weights by name: ${what}. Python objects are never made from a file; nothing was run.`,
    { hint: `Expected a state dict, or one under a key of its own. ${saveHint}` },
  );
}

function isTensor(value: PickleValue): boolean {
  return isKind(value, 'tensor');
}

function isArray(value: PickleValue): boolean {
  return numpyTensor(value) !== undefined;
}

/** A dict of text keys with a weight in it. */
function hasWeight(value: PickleValue, isWeight: (item: PickleValue) => boolean): boolean {
  if (!isKind(value, 'dict')) return false;
  return (
    [...value.entries.keys()].every((key) => typeof key === 'string') && [...value.entries.values()].some(isWeight)
  );
}

function isEmpty(value: PickleValue): boolean {
  return isKind(value, 'dict') && value.entries.size === 0;
}

function shownName(name: string): string {
  return name.length > 100 ? `${name.slice(0, 100)}…` : name;
}
