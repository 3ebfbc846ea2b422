/**
 * Writes NIfTI-1 single files.
 *
 * @module
 */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { DataError, ShapeError } from '../../errors';
import { writeFileAtomic } from '../../util/atomic-file';
import { type Affine, linearPart, spacingOf } from '../affine';
import { datatypes } from './datatype';
import { quaternionOf } from './quaternion';
import { reverseAxes } from './voxels';

/** Voxel types for writing. */
export type WritableDType = 'uint8' | 'int16' | 'int32' | 'float32';

/** What is written: one number a voxel. */
export interface WritableVolume {
  /** C order of `shape`. */
  readonly data: Float32Array | Uint8Array | Int16Array;
  /** [x, y, z] or [x, y, z, t]; each at most 32767. */
  readonly shape: readonly number[];
  /** Voxel → world, RAS+, mm. */
  readonly affine: Affine;
}

export interface WriteOptions {
  /** Values must be representable in it: nothing is scaled, rounded or clipped. */
  readonly dtype: WritableDType;
  /** Compression effort of .nii.gz, 1 fastest … 9 smallest. @default 6 */
  readonly level?: number;
}

const HEADER_BYTES = 352;
const MILLIMETRES = 2;
const SCANNER_COORDINATES = 1;

const integerRanges = { uint8: [0, 255], int16: [-32768, 32767], int32: [-(2 ** 31), 2 ** 31 - 1] } as const;

const gzipAsync = promisify(gzip);

/**
 * Writes `path` (.nii, or .nii.gz compressed) with sform and qform, as a whole or not at all. A sheared affine has no
 * qform: then only the sform is coded.
 *
 * @throws DataError when a value does not fit `dtype`; ShapeError when data and shape differ; WorkspaceError from the disk.
 */
export async function writeNifti(path: string, volume: WritableVolume, options: WriteOptions): Promise<void> {
  const bytes = encodeNifti(volume, { ...options, file: path });
  await writeFileAtomic(path, path.endsWith('.gz') ? await compress(bytes, options.level) : bytes);
}

/** gzip with a header that does not depend on the time or the machine. */
export async function compress(bytes: Uint8Array, level = 6): Promise<Uint8Array> {
  const packed = await gzipAsync(bytes, { level });
  packed[9] = 255; // The operating system: unknown.
  return packed;
}

/** The bytes of an uncompressed NIfTI-1 file. @param options.file named in errors. */
export function encodeNifti(volume: WritableVolume, options: WriteOptions & { readonly file: string }): Uint8Array {
  const { dtype, file } = options;
  checkShape(volume);
  checkValues(volume.data, dtype, file);
  const bytes = new Uint8Array(HEADER_BYTES + volume.data.length * datatypes[dtype].bytes);
  writeHeader(new DataView(bytes.buffer), volume, dtype);
  writeVoxels(bytes.buffer, volume, dtype);
  return bytes;
}

function checkShape({ data, shape }: WritableVolume): void {
  const voxels = shape.reduce((product, n) => product * n, 1);
  const fits =
    shape.length >= 3 && shape.length <= 4 && shape.every((n) => Number.isInteger(n) && n >= 1 && n <= 32767);
  if (fits && voxels === data.length) return;
  throw new ShapeError(
    `A NIfTI volume needs 3 or 4 extents of 1 to 32767 and as many voxels, but got [${shape}] and ${data.length} voxels.`,
  );
}

function checkValues(data: WritableVolume['data'], dtype: WritableDType, file: string): void {
  if (dtype === 'float32') return;
  const [least, most] = integerRanges[dtype];
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!;
    if (value >= least && value <= most && Number.isInteger(value)) continue;
    throw new DataError(`${file}: the value ${value} is no ${dtype} (a whole number from ${least} to ${most}).`, {
      file,
      hint: 'Write float32, or round and scale the values first.',
    });
  }
}

function writeHeader(view: DataView, { shape, affine }: WritableVolume, dtype: WritableDType): void {
  const int16 = (at: number, value: number): void => view.setInt16(at, value, true);
  const float32 = (at: number, value: number): void => view.setFloat32(at, value, true);
  view.setInt32(0, 348, true);
  view.setUint8(38, 'r'.charCodeAt(0));
  int16(40, shape.length);
  for (let i = 0; i < 7; i++) int16(42 + 2 * i, shape[i] ?? 1);
  int16(70, datatypes[dtype].code);
  int16(72, 8 * datatypes[dtype].bytes);
  const zooms = spacingOf(affine);
  const quaternion = quaternionOf(linearPart(affine).map((row) => row.map((value, j) => value / zooms[j]!)));
  float32(76, quaternion?.qfac ?? 1);
  for (let i = 0; i < 7; i++) float32(80 + 4 * i, zooms[i] ?? 1);
  float32(108, HEADER_BYTES);
  float32(112, 1);
  view.setUint8(123, MILLIMETRES);
  int16(252, quaternion === undefined ? 0 : SCANNER_COORDINATES);
  int16(254, SCANNER_COORDINATES);
  for (let i = 0; i < 3; i++) {
    float32(256 + 4 * i, quaternion?.bcd[i] ?? 0);
    float32(268 + 4 * i, affine[i]![3]!);
    for (let j = 0; j < 4; j++) float32(280 + 16 * i + 4 * j, affine[i]![j]!);
  }
  view.setUint32(344, 0x6e2b3100); // "n+1" and a zero byte, whatever the byte order.
}

/** C order → first axis fastest: reversing the axes of the reversed shape. The machine is little-endian, as is the file. */
function writeVoxels(buffer: ArrayBuffer, { data, shape }: WritableVolume, dtype: WritableDType): void {
  const values = data instanceof Float32Array ? data : Float32Array.from(data);
  const ordered = reverseAxes(values, [...shape].reverse());
  if (dtype === 'uint8') new Uint8Array(buffer, HEADER_BYTES).set(ordered);
  if (dtype === 'int16') new Int16Array(buffer, HEADER_BYTES).set(ordered);
  if (dtype === 'int32') new Int32Array(buffer, HEADER_BYTES).set(ordered);
  if (dtype === 'float32') new Float32Array(buffer, HEADER_BYTES).set(ordered);
}
