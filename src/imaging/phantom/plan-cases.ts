/**
 * Which cases a phantom has: the mix of tumour grades of BraTS18's four sites, and names in BraTS's style.
 *
 * @module
 */
import type { Grade } from './tumour';

export interface PhantomCase {
  /** `Brats18_PHANTOM<site>_<number>_1`; site 00 is the shared validation list. */
  readonly name: string;
  /** Folder below the data folder: `training/<grade>/<name>`. */
  readonly folder: string;
  readonly grade: Grade;
  /** Whether a low-grade tumour has an enhancing part: every other one has none, so its ET score is not defined. */
  readonly enhancing: boolean;
  /** 1-based, or 0 for a validation case. */
  readonly site: number;
  /** Index of the scanner; validation cases come from all of them. */
  readonly scanner: number;
}

export interface PhantomCounts {
  readonly sites: number;
  readonly casesPerSite: number;
  readonly validationCases: number;
}

/** Share of low-grade tumours at the four sites of BraTS18 (0, 0, 11 of 61, 52 of 60) and in its validation list. */
const LOW_GRADE_SHARES = [0, 0, 0.18, 0.87];
const LOW_GRADE_SHARE_VALIDATION = 0.28;

/** All cases, the validation list first, then site by site. */
export function planCases({ sites, casesPerSite, validationCases }: PhantomCounts): PhantomCase[] {
  const validation = planList(0, validationCases, LOW_GRADE_SHARE_VALIDATION);
  const training = Array.from({ length: sites }, (_, i) =>
    planList(i + 1, casesPerSite, LOW_GRADE_SHARES[i % LOW_GRADE_SHARES.length]!),
  );
  return [...validation, ...training.flat()];
}

/** The cases of one list: high grades first, low grades last. */
function planList(site: number, count: number, lowGradeShare: number): PhantomCase[] {
  const lowGrades = lowGradeShare === 0 ? 0 : Math.min(count - 1, Math.max(1, Math.round(count * lowGradeShare)));
  return Array.from({ length: count }, (_, i) => {
    const lowIndex = i - (count - lowGrades);
    const grade: Grade = lowIndex >= 0 ? 'LGG' : 'HGG';
    const name = `Brats18_PHANTOM${pad(site, 2)}_${pad(i + 1, 3)}_1`;
    return {
      name,
      folder: `training/${grade}/${name}`,
      grade,
      enhancing: grade === 'HGG' || lowIndex % 2 === 1,
      site,
      scanner: site === 0 ? i : site - 1,
    };
  });
}

function pad(value: number, digits: number): string {
  return String(value).padStart(digits, '0');
}
