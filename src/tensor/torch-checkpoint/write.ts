/**
 * Writes files that `torch.load(path, weights_only=True)` reads as `{"model": {name: tensor}}`.
 *
 * @module
 */
import { writeZip, type ZipEntry } from '../../util/zip-write';
import { bytesOf, type DType, type NamedTensors, type Shape } from '../tensor';

/** torch's storage class of an element type; it has none for the unsigned types of more than one byte. */
const storageClasses: Readonly<Record<DType, string | undefined>> = {
  float32: 'FloatStorage',
  float64: 'DoubleStorage',
  int8: 'CharStorage',
  uint8: 'ByteStorage',
  int16: 'ShortStorage',
  uint16: undefined,
  int32: 'IntStorage',
  uint32: undefined,
  int64: 'LongStorage',
  uint64: undefined,
  bool: 'BoolStorage',
};

/** A zip of torch ≥ 1.6 with one storage a tensor. Equal tensors give equal bytes. */
export function encodeTorchCheckpoint(tensors: NamedTensors): Uint8Array {
  const text = (value: string): Uint8Array => new TextEncoder().encode(value);
  const storages = [...tensors.values()].map(
    (tensor, i): ZipEntry => ({ name: `archive/data/${i}`, data: bytesOf(tensor) }),
  );
  return writeZip([
    { name: 'archive/data.pkl', data: writePickle(tensors) },
    { name: 'archive/byteorder', data: text('little') },
    ...storages,
    { name: 'archive/version', data: text('3\n') },
  ]);
}

/** Protocol 2: `{'model': {name: rebuild(storage, 0, shape, strides, False, OrderedDict()), …}}`. */
function writePickle(tensors: NamedTensors): Uint8Array {
  const parts: Uint8Array[] = [opcodes('\x80\x02}'), unicode('model'), opcodes('}(')];
  [...tensors].forEach(([name, { dtype, shape, data }], i) => {
    const className = storageClasses[dtype];
    const rebuild = className === undefined ? '_rebuild_tensor_v3' : '_rebuild_tensor_v2';
    parts.push(unicode(name), opcodes(`ctorch._utils\n${rebuild}\n((`), unicode('storage'));
    parts.push(opcodes(className === undefined ? 'ctorch.storage\nUntypedStorage\n' : `ctorch\n${className}\n`));
    parts.push(unicode(String(i)), unicode('cpu'), integer(className === undefined ? data.byteLength : data.length));
    parts.push(opcodes('tQ'), integer(0), tuple(shape), tuple(cOrderStrides(shape)));
    parts.push(opcodes('\x89ccollections\nOrderedDict\n)R'));
    if (className === undefined) parts.push(opcodes(`ctorch\n${dtype}\n`));
    parts.push(opcodes('tR'));
  });
  parts.push(opcodes('us.'));
  return Buffer.concat(parts);
}

/** Opcodes and ASCII arguments, one byte a character. */
function opcodes(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

function unicode(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'utf8');
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([opcodes('X'), length, bytes]);
}

/** A safe integer ≥ 0 as BININT where it fits, else as LONG1 of eight bytes. */
function integer(value: number): Uint8Array {
  const bytes = Buffer.alloc(value < 2 ** 31 ? 5 : 10);
  if (value < 2 ** 31) {
    bytes.write('J', 'latin1');
    bytes.writeInt32LE(value, 1);
  } else {
    bytes.write('\x8a\x08', 'latin1');
    bytes.writeBigInt64LE(BigInt(value), 2);
  }
  return bytes;
}

function tuple(values: readonly number[]): Uint8Array {
  return Buffer.concat([opcodes('('), ...values.map(integer), opcodes('t')]);
}

function cOrderStrides(shape: Shape): readonly number[] {
  return shape.map((_, axis) => shape.slice(axis + 1).reduce((product, n) => product * Math.max(1, n), 1));
}
