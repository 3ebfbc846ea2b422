/**
 * The voxel datatypes of NIfTI-1 and NIfTI-2 (nifti1.h, `datatype` codes).
 *
 * @module
 */

/** The datatypes that can be read and written. */
export type NiftiDType =
  | 'uint8'
  | 'int8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'float32'
  | 'float64';

interface Datatype {
  readonly code: number;
  readonly bytes: 1 | 2 | 4 | 8;
}

/** Code in the header and width of a voxel. */
export const datatypes: Readonly<Record<NiftiDType, Datatype>> = {
  uint8: { code: 2, bytes: 1 },
  int16: { code: 4, bytes: 2 },
  int32: { code: 8, bytes: 4 },
  float32: { code: 16, bytes: 4 },
  float64: { code: 64, bytes: 8 },
  int8: { code: 256, bytes: 1 },
  uint16: { code: 512, bytes: 2 },
  uint32: { code: 768, bytes: 4 },
  int64: { code: 1024, bytes: 8 },
  uint64: { code: 1280, bytes: 8 },
};

const byCode = new Map<number, NiftiDType>(
  (Object.keys(datatypes) as NiftiDType[]).map((dtype) => [datatypes[dtype].code, dtype]),
);

/** Codes that the standard knows and that hold no single number a voxel, for the error message. */
const unsupported = new Map([
  [0, 'unknown'],
  [1, 'one bit a voxel'],
  [32, 'complex64'],
  [128, 'RGB'],
  [1536, 'float128'],
  [1792, 'complex128'],
  [2048, 'complex256'],
  [2304, 'RGBA'],
]);

export function datatypeOf(code: number): NiftiDType | undefined {
  return byCode.get(code);
}

/** A code with its name where the standard has one: `128 (RGB)`. */
export function describeCode(code: number): string {
  const name = unsupported.get(code);
  return name === undefined ? String(code) : `${code} (${name})`;
}
