/**
 * The Python names that a model file needs, and what data each stands for. A call of any other gives a placeholder: nothing
 * is ever looked up or run.
 *
 * @module
 */
import { DataError } from '../../errors';
import {
  isKind,
  isSize,
  isSizes,
  type PickleObject,
  type PickleValue,
  type StorageRef,
  type StoredType,
  type TensorRef,
} from './pickle-value';

const storageTypes: ReadonlyMap<string, StoredType | undefined> = new Map<string, StoredType | undefined>([
  ['torch.FloatStorage', 'float32'],
  ['torch.DoubleStorage', 'float64'],
  ['torch.HalfStorage', 'float16'],
  ['torch.BFloat16Storage', 'bfloat16'],
  ['torch.CharStorage', 'int8'],
  ['torch.ByteStorage', 'uint8'],
  ['torch.ShortStorage', 'int16'],
  ['torch.IntStorage', 'int32'],
  ['torch.LongStorage', 'int64'],
  ['torch.BoolStorage', 'bool'],
  ['torch.storage.UntypedStorage', undefined],
]);

const dtypes: ReadonlyMap<string, StoredType> = new Map<string, StoredType>([
  ...(['float16', 'bfloat16', 'float32', 'float64', 'int8', 'uint8', 'int16', 'uint16'] as const).map(dtypeEntry),
  ...(['int32', 'uint32', 'int64', 'uint64', 'bool'] as const).map(dtypeEntry),
]);

function dtypeEntry(dtype: StoredType): [string, StoredType] {
  return [`torch.${dtype}`, dtype];
}

type Call = (args: readonly PickleValue[]) => PickleValue;

const calls: ReadonlyMap<string, Call> = new Map<string, Call>([
  ['collections.OrderedDict', orderedDict],
  ['collections.defaultdict', () => ({ kind: 'dict', entries: new Map() })],
  ['torch._utils._rebuild_tensor', rebuildTensor],
  ['torch._utils._rebuild_tensor_v2', rebuildTensor],
  ['torch._utils._rebuild_tensor_v3', rebuildTensor],
  ['torch._tensor._rebuild_from_type_v2', rebuildFromType],
  ['torch._utils._rebuild_parameter', (args) => args[0] ?? null],
  ['torch._utils._rebuild_parameter_with_state', (args) => args[0] ?? null],
  ['torch.Size', (args) => args[0] ?? { kind: 'tuple', items: [] }],
  ['torch.device', (args) => args[0] ?? null],
  ['_codecs.encode', encodeLatin1],
]);

/** What a call of a global gives, as data: a placeholder where the global is none that weights need. */
export function callGlobal(name: string, args: readonly PickleValue[]): PickleValue {
  const call = calls.get(name);
  return call === undefined ? placeholder(name, args) : call(args);
}

/** Stands for the object that calling `name` would make. */
export function placeholder(name: string, args: readonly PickleValue[] = []): PickleObject {
  return { kind: 'object', name, args };
}

/**
 * The storage that a persistent id of torch means: ('storage', type, key, location, length, …). A placeholder for one of
 * an element type that tensors here cannot have (complex, quantised).
 */
export function storageOf(id: PickleValue): StorageRef | PickleObject {
  const [tag, type, key, , length, view] = isKind(id, 'tuple') ? id.items : [];
  if (tag !== 'storage' || !isKind(type, 'global') || typeof key !== 'string' || !isSize(length)) {
    throw new DataError('The file refers to something outside the pickle that is not a storage of torch.');
  }
  if (view !== undefined && view !== null)
    throw new DataError('The file holds a view of a storage, which is not supported.');
  if (!storageTypes.has(type.name)) return placeholder(type.name);
  return { kind: 'storage', key, dtype: storageTypes.get(type.name), length };
}

function orderedDict(args: readonly PickleValue[]): PickleValue {
  const entries = new Map<PickleValue, PickleValue>();
  const items = isKind(args[0], 'list') || isKind(args[0], 'tuple') ? args[0].items : [];
  for (const item of items) {
    if (!isKind(item, 'list') && !isKind(item, 'tuple'))
      throw new DataError('An ordered dict has an item that is no pair.');
    entries.set(item.items[0] ?? null, item.items[1] ?? null);
  }
  return { kind: 'dict', entries };
}

/** How protocol 2 spells bytes: text whose characters are the bytes, and 'latin1'. */
function encodeLatin1(args: readonly PickleValue[]): PickleValue {
  const [text, encoding] = args;
  if (typeof text !== 'string' || encoding !== 'latin1')
    throw new DataError('The file holds bytes in an unknown spelling.');
  return new Uint8Array(Buffer.from(text, 'latin1'));
}

/** (storage, offset, size, stride, …) and, in version 3, the dtype as the seventh. */
function rebuildTensor(args: readonly PickleValue[]): TensorRef | PickleObject {
  const [storage, offset, shape, strides, , , dtype] = args;
  if (isKind(storage, 'object')) return storage;
  if (!isKind(storage, 'storage') || !isSize(offset) || !isSizes(shape) || !isSizes(strides)) {
    throw new DataError('The file rebuilds a tensor from something other than storage, offset, size and stride.');
  }
  if (isKind(dtype, 'global') && !dtypes.has(dtype.name)) return placeholder(dtype.name);
  const named = isKind(dtype, 'global') ? dtypes.get(dtype.name) : undefined;
  const type = named ?? storage.dtype;
  if (type === undefined || shape.items.length !== strides.items.length) {
    throw new DataError('The file rebuilds a tensor without an element type, or with unlike size and stride.');
  }
  return { kind: 'tensor', storage, dtype: type, offset, shape: shape.items, strides: strides.items };
}

/** (rebuild, type, arguments of rebuild, state): a tensor of a subclass, or with attributes. It is the tensor in it. */
function rebuildFromType(args: readonly PickleValue[]): PickleValue {
  const [rebuild, type, inner] = args;
  if (isKind(rebuild, 'global') && isKind(inner, 'tuple') && rebuild.name.startsWith('torch._utils._rebuild_')) {
    return callGlobal(rebuild.name, inner.items);
  }
  return placeholder(isKind(type, 'global') ? type.name : 'torch.Tensor', args);
}
