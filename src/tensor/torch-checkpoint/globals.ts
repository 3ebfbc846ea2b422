/**
 * The Python names that a model file may mention, and what each stands for. Everything else is refused by name.
 *
 * @module
 */
import { DataError } from '../../errors';
import { isKind, type PickleValue, type StorageRef, type StoredType, type TensorRef } from './pickle-value';

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
  ['torch._utils._rebuild_tensor', rebuildTensor],
  ['torch._utils._rebuild_tensor_v2', rebuildTensor],
  ['torch._utils._rebuild_tensor_v3', rebuildTensor],
  ['torch._utils._rebuild_parameter', (args) => args[0] ?? null],
  ['torch._utils._rebuild_parameter_with_state', (args) => args[0] ?? null],
  ['torch.Size', (args) => args[0] ?? { kind: 'tuple', items: [] }],
  ['torch.device', (args) => args[0] ?? null],
  ['_codecs.encode', encodeLatin1],
]);

/** @throws DataError when a model file has no business mentioning the global. */
export function checkGlobal(name: string): void {
  if (calls.has(name) || storageTypes.has(name) || dtypes.has(name)) return;
  const shown = name.length > 100 ? `${name.slice(0, 100)}…` : name;
  throw new DataError(
    `The file asks for the Python object '${shown}', which a file of weights does not need. It was refused; nothing was run.`,
    { hint: 'Save only the weights: torch.save({"model": model.state_dict()}, path).' },
  );
}

/** What a call of a known global gives, as data. */
export function callGlobal(name: string, args: readonly PickleValue[]): PickleValue {
  const call = calls.get(name);
  if (call === undefined) throw new DataError(`The file calls '${name}', which is not callable.`);
  return call(args);
}

/** The storage that a persistent id of torch means: ('storage', type, key, location, length, …). */
export function storageOf(id: PickleValue): StorageRef {
  const [tag, type, key, , length, view] = isKind(id, 'tuple') ? id.items : [];
  const known = tag === 'storage' && isKind(type, 'global') && storageTypes.has(type.name);
  if (!known || typeof key !== 'string' || !isSize(length)) {
    throw new DataError('The file refers to something outside the pickle that is not a storage of torch.');
  }
  if (view !== undefined && view !== null)
    throw new DataError('The file holds a view of a storage, which is not supported.');
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
function rebuildTensor(args: readonly PickleValue[]): TensorRef {
  const [storage, offset, shape, strides, , , dtype] = args;
  if (!isKind(storage, 'storage') || !isSize(offset) || !isSizes(shape) || !isSizes(strides)) {
    throw new DataError('The file rebuilds a tensor from something other than storage, offset, size and stride.');
  }
  const named = isKind(dtype, 'global') ? dtypes.get(dtype.name) : undefined;
  const type = named ?? storage.dtype;
  if (type === undefined || shape.items.length !== strides.items.length) {
    throw new DataError('The file rebuilds a tensor without an element type, or with unlike size and stride.');
  }
  return { kind: 'tensor', storage, dtype: type, offset, shape: shape.items, strides: strides.items };
}

function isSize(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isSizes(
  value: PickleValue | undefined,
): value is { readonly kind: 'tuple' | 'list'; readonly items: number[] } {
  return (isKind(value, 'tuple') || isKind(value, 'list')) && value.items.every(isSize);
}
