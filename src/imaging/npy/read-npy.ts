import { float16Value } from '../../tensor/half';
import { badFile } from '../data-error';
import { readDataFile } from '../read-data-file';
import { bytesOfType, type NpyHeader, type NpyType, parseNpyHeader } from './npy-header';

export interface NpyArray {
  /** C order of `shape`, whatever the order in the file. May hold NaN: the caller says whether that is fit for use. */
  readonly data: Float32Array;
  /** Extents, each ≥ 1; no axes for a single number. */
  readonly shape: readonly number[];
  /** How a number is stored in the file. */
  readonly typeOnDisk: NpyType;
}

/** The largest file that is read, unless the caller says otherwise: far more than a slice. */
const MOST_BYTES = 2 ** 28;

/**
 * Reads an array of numbers from a .npy file of either byte and axis order, as float32. Nothing in the file is executed: Python
 * objects are refused.
 *
 * @throws DataError naming the file: missing, unreadable, truncated, longer than it says, too large or not of numbers.
 */
export async function readNpy(file: string, { mostBytes = MOST_BYTES } = {}): Promise<NpyArray> {
  return decodeNpy(await readDataFile(file, 'an .npy file', mostBytes), file);
}

/** The array in the bytes of a .npy file. @param file how errors call it. @throws DataError. */
export function decodeNpy(bytes: Uint8Array, file: string): NpyArray {
  const header = parseNpyHeader(bytes, file);
  const { shape, type, dataOffset, fortranOrder } = header;
  const count = shape.reduce((a, b) => a * b, 1);
  const expected = count * bytesOfType(type);
  const found = bytes.length - dataOffset;
  if (found !== expected) {
    const problem = `shape (${shape.join(', ')}) of ${type} is ${expected} bytes, found ${found}.`;
    throw badFile(file, problem, 'The file was damaged or cut off: copy it again from its source.');
  }
  const stored = decodeNumbers(bytes.subarray(dataOffset), header);
  return { data: fortranOrder ? fromFortran(stored, shape) : stored, shape, typeOnDisk: type };
}

type ReadNumber = (view: DataView, at: number, littleEndian: boolean) => number;

const readers: Readonly<Record<NpyType, ReadNumber>> = {
  f2: (view, at, little) => float16Value(view.getUint16(at, little)),
  f4: (view, at, little) => view.getFloat32(at, little),
  f8: (view, at, little) => view.getFloat64(at, little),
  i1: (view, at) => view.getInt8(at),
  i2: (view, at, little) => view.getInt16(at, little),
  i4: (view, at, little) => view.getInt32(at, little),
  i8: (view, at, little) => Number(view.getBigInt64(at, little)),
  u1: (view, at) => view.getUint8(at),
  u2: (view, at, little) => view.getUint16(at, little),
  u4: (view, at, little) => view.getUint32(at, little),
  u8: (view, at, little) => Number(view.getBigUint64(at, little)),
  b1: (view, at) => view.getUint8(at),
};

function decodeNumbers(bytes: Uint8Array, { type, littleEndian }: NpyHeader): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const read = readers[type];
  const step = bytesOfType(type);
  const numbers = new Float32Array(bytes.length / step);
  for (let i = 0, at = 0; i < numbers.length; i++, at += step) numbers[i] = read(view, at, littleEndian);
  return numbers;
}

/** The first axis runs fastest in `stored`; the last one does in the result. */
function fromFortran(stored: Float32Array, shape: readonly number[]): Float32Array {
  const result = new Float32Array(stored.length);
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((a, b) => a * b, 1));
  const index = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < result.length; to++) {
    result[to] = stored[from]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= shape[axis]! * strides[axis]!;
      index[axis] = 0;
    }
  }
  return result;
}
