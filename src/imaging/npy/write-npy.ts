import { InternalError } from '../../errors';
import { NPY_MAGIC } from './npy-header';

/** The header is padded so that the numbers begin at a multiple of it. */
const ALIGNMENT = 64;

/** NumPy leaves room for the first extent to grow to this many digits. */
const GROWTH_DIGITS = 21;

/**
 * The bytes of a .npy file, version 1.0: those that `numpy.save` writes for the same array in C order.
 *
 * @param shape extents whose product is the number of values.
 */
export function encodeNpy(data: Float32Array | Uint16Array | Uint8Array, shape: readonly number[]): Uint8Array {
  const count = shape.reduce((a, b) => a * b, 1);
  if (count !== data.length) throw new InternalError(`${data.length} numbers have no shape (${shape.join(', ')}).`);
  const axes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${descrOf(data)}', 'fortran_order': False, 'shape': (${axes}), }`;
  const growth = shape.length === 0 ? 0 : GROWTH_DIGITS - String(shape[0]).length;
  const length = Math.ceil((10 + text.length + growth + 1) / ALIGNMENT) * ALIGNMENT;
  const bytes = Buffer.alloc(length + data.byteLength, ' ');
  bytes.set(NPY_MAGIC);
  bytes.set([1, 0], 6);
  bytes.writeUInt16LE(length - 10, 8);
  bytes.write(text, 10, 'latin1');
  bytes[length - 1] = 0x0a;
  const view = new DataView(bytes.buffer, bytes.byteOffset + length, data.byteLength);
  for (let i = 0; i < data.length; i++) writeNumber(view, i, data);
  return bytes;
}

function descrOf(data: Float32Array | Uint16Array | Uint8Array): string {
  if (data instanceof Float32Array) return '<f4';
  return data instanceof Uint16Array ? '<u2' : '|u1';
}

function writeNumber(view: DataView, i: number, data: Float32Array | Uint16Array | Uint8Array): void {
  if (data instanceof Float32Array) view.setFloat32(4 * i, data[i]!, true);
  else if (data instanceof Uint16Array) view.setUint16(2 * i, data[i]!, true);
  else view.setUint8(i, data[i]!);
}
