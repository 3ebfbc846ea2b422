/**
 * Voxels on disk (first axis fastest) ⇄ float32 in C order (last axis fastest).
 *
 * @module
 */
import { datatypes, type NiftiDType } from './datatype';

/** Numbers of any stored type that JavaScript reads as `number`. */
type RawVoxels =
  | Uint8Array
  | Int8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array;

export interface VoxelLayout {
  readonly dtype: NiftiDType;
  readonly littleEndian: boolean;
  /** 3 or 4 extents. */
  readonly shape: readonly number[];
  readonly slope: number;
  readonly intercept: number;
}

/**
 * The voxels as float32 in C order of `shape`, `raw · slope + intercept` in float64 where the header scales.
 *
 * @param bytes the voxels as stored; swapped in place when big-endian.
 */
export function decodeVoxels(bytes: Uint8Array, layout: VoxelLayout): Float32Array {
  const raw = rawVoxels(bytes, layout);
  return reverseAxes(toFloat32(raw, layout), layout.shape);
}

/** Whether the header asks for scaling: a slope of 0, NaN or infinity means none, and so does slope 1 with intercept 0. */
export function isScaled(layout: Pick<VoxelLayout, 'slope' | 'intercept'>): boolean {
  const { slope, intercept } = layout;
  return Number.isFinite(slope) && slope !== 0 && !(slope === 1 && intercept === 0);
}

function rawVoxels(bytes: Uint8Array, { dtype, littleEndian }: VoxelLayout): RawVoxels {
  const width = datatypes[dtype].bytes;
  if (!littleEndian) swapBytes(bytes, width);
  const aligned = bytes.byteOffset % width === 0 ? bytes : bytes.slice();
  const { buffer, byteOffset } = aligned;
  const length = bytes.byteLength / width;
  switch (dtype) {
    case 'uint8':
      return aligned;
    case 'int8':
      return new Int8Array(buffer, byteOffset, length);
    case 'int16':
      return new Int16Array(buffer, byteOffset, length);
    case 'uint16':
      return new Uint16Array(buffer, byteOffset, length);
    case 'int32':
      return new Int32Array(buffer, byteOffset, length);
    case 'uint32':
      return new Uint32Array(buffer, byteOffset, length);
    case 'float32':
      return new Float32Array(buffer, byteOffset, length);
    case 'float64':
      return new Float64Array(buffer, byteOffset, length);
    case 'int64':
      return joinWords(new Uint32Array(buffer, byteOffset, 2 * length), new Int32Array(buffer, byteOffset, 2 * length));
    case 'uint64':
      return joinWords(
        new Uint32Array(buffer, byteOffset, 2 * length),
        new Uint32Array(buffer, byteOffset, 2 * length),
      );
  }
}

function swapBytes(bytes: Uint8Array, width: 1 | 2 | 4 | 8): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (width === 2) buffer.swap16();
  if (width === 4) buffer.swap32();
  if (width === 8) buffer.swap64();
}

/** 64-bit integers as float64, without a BigInt a voxel: low words unsigned, high words signed or not. */
function joinWords(low: Uint32Array, high: Int32Array | Uint32Array): Float64Array {
  const joined = new Float64Array(low.length / 2);
  for (let i = 0; i < joined.length; i++) joined[i] = high[2 * i + 1]! * 2 ** 32 + low[2 * i]!;
  return joined;
}

function toFloat32(raw: RawVoxels, layout: VoxelLayout): Float32Array {
  if (!isScaled(layout)) return raw instanceof Float32Array ? raw : new Float32Array(raw);
  const { slope, intercept } = layout;
  const scaled = new Float32Array(raw.length);
  for (let i = 0; i < scaled.length; i++) scaled[i] = raw[i]! * slope + intercept;
  return scaled;
}

/** Side of the square tiles of {@link reverseAxes}: a tile of source and of target stay in the first-level cache. */
const TILE = 32;

/**
 * `data` of `shape` with the first axis fastest, as C order of `shape`. Of reversed shapes it is its own inverse:
 * `reverseAxes(c, reversed shape)` gives back the first-axis-fastest order.
 */
export function reverseAxes(data: Float32Array, shape: readonly number[]): Float32Array {
  const [nx, ny, nz, nt = 1] = shape as [number, number, number, number?];
  const out = new Float32Array(data.length);
  for (let t = 0; t < nt; t++) {
    for (let y = 0; y < ny; y++) {
      for (let z0 = 0; z0 < nz; z0 += TILE) {
        const z1 = Math.min(nz, z0 + TILE);
        for (let x = 0; x < nx; x++) {
          let to = ((x * ny + y) * nz + z0) * nt + t;
          let from = x + nx * (y + ny * (z0 + nz * t));
          for (let z = z0; z < z1; z++, to += nt, from += nx * ny) out[to] = data[from]!;
        }
      }
    }
  }
  return out;
}
