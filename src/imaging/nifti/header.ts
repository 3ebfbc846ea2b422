/**
 * The NIfTI-1 (348 bytes) and NIfTI-2 (540 bytes) headers: fields at fixed offsets, checked before anything is allocated.
 * Free-text fields, which may hold patient data, are never read. Offsets: nifti1.h and nifti2.h of the NIfTI standard.
 *
 * @module
 */
import { badFile } from '../data-error';
import { datatypeOf, datatypes, describeCode, type NiftiDType } from './datatype';

/** A checked header: what is needed to find the voxels and to place them in the world. */
export interface NiftiHeader {
  readonly version: 1 | 2;
  readonly littleEndian: boolean;
  /** 3 or 4 extents, each ≥ 1: missing axes are 1, trailing axes of 1 beyond the third are dropped. */
  readonly shape: readonly number[];
  readonly dtype: NiftiDType;
  /** Where the voxels start, in bytes. */
  readonly voxelOffset: number;
  readonly slope: number;
  readonly intercept: number;
  /** qfac, then the size of a voxel along each axis. */
  readonly pixdim: readonly number[];
  readonly qformCode: number;
  readonly sformCode: number;
  /** b, c, d. */
  readonly quaternion: readonly number[];
  readonly qoffset: readonly number[];
  /** The first three rows of the sform. */
  readonly srows: readonly (readonly number[])[];
}

/** How many first bytes of a file {@link parseHeader} wants: a NIfTI-2 header and its extension flag. */
export const HEAD_BYTES = 544;

/** Volumes of this many voxels or more are refused. */
const MAX_VOXELS = 2 ** 31;

const EXPORT_AGAIN =
  'Export the volume again as a single-file NIfTI (.nii or .nii.gz), or take the case off the datalist.';

/** Field readers over a header of known version and byte order. */
interface Fields {
  readonly version: 1 | 2;
  readonly littleEndian: boolean;
  readonly view: DataView;
}

/** Reads and checks a header. @throws DataError naming the field. */
export function parseHeader(head: Uint8Array, file: string): NiftiHeader {
  const fields = openHeader(head, file);
  checkMagic(fields, file);
  const dtype = readDatatype(fields, file);
  const shape = readShape(fields, file);
  return {
    version: fields.version,
    littleEndian: fields.littleEndian,
    shape,
    dtype,
    voxelOffset: readVoxelOffset(fields, file),
    slope: real(fields, 112, 176),
    intercept: real(fields, 116, 184),
    pixdim: reals(fields, 76, 104, 8),
    qformCode: readCode(fields, 'qform_code', file),
    sformCode: readCode(fields, 'sform_code', file),
    quaternion: reals(fields, 256, 352, 3),
    qoffset: reals(fields, 268, 376, 3),
    srows: [0, 1, 2].map((i) => reals(fields, 280 + 16 * i, 400 + 32 * i, 4)),
  };
}

/** Bytes of voxels that the header declares. */
export function voxelBytes(header: NiftiHeader): number {
  return header.shape.reduce((product, n) => product * n, 1) * datatypes[header.dtype].bytes;
}

function openHeader(head: Uint8Array, file: string): Fields {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (head.byteLength < 4) throw tooShort(file, head.byteLength, 348);
  for (const littleEndian of [true, false]) {
    const size = view.getInt32(0, littleEndian);
    if (size !== 348 && size !== 540) continue;
    if (head.byteLength < size) throw tooShort(file, head.byteLength, size);
    return { version: size === 348 ? 1 : 2, littleEndian, view };
  }
  throw badFile(
    file,
    `not a NIfTI file: sizeof_hdr is ${view.getInt32(0, true)}, expected 348 (NIfTI-1) or 540 (NIfTI-2).`,
    EXPORT_AGAIN,
  );
}

function tooShort(file: string, found: number, expected: number): Error {
  return badFile(
    file,
    `too short for a NIfTI header: ${found} bytes, expected at least ${expected}.`,
    'The file is empty or was cut off: copy it again from its source.',
  );
}

function checkMagic({ version, view }: Fields, file: string): void {
  const at = version === 1 ? 344 : 4;
  const magic = String.fromCharCode(view.getUint8(at), view.getUint8(at + 1), view.getUint8(at + 2));
  const terminated = view.getUint8(at + 3) === 0;
  if (terminated && magic === `n+${version}`) return;
  if (terminated && magic === `ni${version}`) {
    throw badFile(file, `magic "ni${version}" marks a header/image pair, expected "n+${version}".`, EXPORT_AGAIN);
  }
  const found = JSON.stringify(magic);
  throw badFile(file, `the magic ${found} is not NIfTI's, expected "n+${version}" and a zero byte.`, EXPORT_AGAIN);
}

function readDatatype(fields: Fields, file: string): NiftiDType {
  const code = fields.view.getInt16(fields.version === 1 ? 70 : 12, fields.littleEndian);
  const dtype = datatypeOf(code);
  if (dtype === undefined) {
    const supported = Object.entries(datatypes).map(([name, { code }]) => `${code} (${name})`);
    const problem = `datatype ${describeCode(code)} is not supported, expected one of ${supported.join(', ')}.`;
    throw badFile(file, problem, 'Convert the volume to one of these types; float32 holds every intensity.');
  }
  const bitpix = fields.view.getInt16(fields.version === 1 ? 72 : 14, fields.littleEndian);
  const expected = 8 * datatypes[dtype].bytes;
  if (bitpix !== expected) {
    throw badFile(file, `bitpix is ${bitpix}, but datatype ${dtype} has ${expected} bits a voxel.`, EXPORT_AGAIN);
  }
  return dtype;
}

function readShape(fields: Fields, file: string): readonly number[] {
  const dim = Array.from({ length: 8 }, (_, i) => integer(fields, 40 + 2 * i, 16 + 8 * i));
  const rank = dim[0]!;
  if (rank < 1 || rank > 7) throw badFile(file, `dim[0] is ${rank}, expected 1 to 7 axes.`, EXPORT_AGAIN);
  let voxels = 1;
  for (let i = 1; i <= rank; i++) {
    if (dim[i]! < 1) throw badFile(file, `dim[${i}] is ${dim[i]}, expected at least 1.`, EXPORT_AGAIN);
    voxels *= dim[i]!;
  }
  const extents = dim.slice(1, rank + 1);
  if (voxels >= MAX_VOXELS) {
    const problem = `dim declares ${extents.join('×')} = ${voxels} voxels, expected fewer than 2³¹.`;
    throw badFile(file, problem, 'Crop or resample the volume, if it is really that large.');
  }
  while (extents.length < 3) extents.push(1);
  while (extents.length > 3 && extents.at(-1) === 1) extents.pop();
  if (extents.length > 4) {
    throw badFile(file, `dim declares ${extents.length} axes (${extents.join('×')}), expected 3 or 4.`, EXPORT_AGAIN);
  }
  return extents;
}

function readVoxelOffset(fields: Fields, file: string): number {
  const offset =
    fields.version === 1
      ? fields.view.getFloat32(108, fields.littleEndian)
      : Number(fields.view.getBigInt64(168, fields.littleEndian));
  const least = fields.version === 1 ? 352 : 544;
  if (!Number.isSafeInteger(offset) || offset < least) {
    throw badFile(file, `vox_offset is ${offset}, expected a whole number of at least ${least}.`, EXPORT_AGAIN);
  }
  return offset;
}

function readCode(fields: Fields, name: 'qform_code' | 'sform_code', file: string): number {
  const { version, view, littleEndian } = fields;
  const shift = name === 'qform_code' ? 0 : 1;
  const code =
    version === 1 ? view.getInt16(252 + 2 * shift, littleEndian) : view.getInt32(344 + 4 * shift, littleEndian);
  if (code < 0 || code > 5) throw badFile(file, `${name} is ${code}, expected 0 to 5.`, EXPORT_AGAIN);
  return code;
}

/** An integer field: int16 in version 1, int64 in version 2. */
function integer({ version, view, littleEndian }: Fields, at1: number, at2: number): number {
  return version === 1 ? view.getInt16(at1, littleEndian) : Number(view.getBigInt64(at2, littleEndian));
}

/** A real field: float32 in version 1, float64 in version 2. */
function real({ version, view, littleEndian }: Fields, at1: number, at2: number): number {
  return version === 1 ? view.getFloat32(at1, littleEndian) : view.getFloat64(at2, littleEndian);
}

function reals(fields: Fields, at1: number, at2: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => real(fields, at1 + 4 * i, at2 + 8 * i));
}
