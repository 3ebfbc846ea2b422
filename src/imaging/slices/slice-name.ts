/**
 * How a slice on disk is named: `patient-<id>-slice<n>.npy`.
 *
 * @module
 */

export interface SliceName {
  readonly patient: string;
  /** Place along the long axis of the body. */
  readonly index: number;
}

export function sliceFileName({ patient, index }: SliceName): string {
  return `patient-${patient}-slice${index}.npy`;
}

/** `undefined` for a file of another name. */
export function parseSliceName(file: string): SliceName | undefined {
  const [, patient, index] = /^patient-(.+)-slice(\d{1,6})\.npy$/.exec(file) ?? [];
  return patient === undefined ? undefined : { patient, index: Number(index) };
}

/** Patient by patient, then from the first slice to the last; the same on every machine. */
export function compareSliceNames(a: SliceName, b: SliceName): number {
  if (a.patient !== b.patient) return a.patient < b.patient ? -1 : 1;
  return a.index - b.index;
}
