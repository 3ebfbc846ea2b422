/**
 * An invented run, for tests of the report.
 *
 * @module
 */
import type { PrivacyCost } from '../../src/privacy/cost';
import { bratsDice, type CaseImages, type ReportData } from '../../src/tracking/report/report-data';
import type { RoundEntry } from '../../src/tracking/round-metrics';

export const sites = ['site-1', 'site-2'] as const;

export function cost(epsilon: number, changes: Partial<PrivacyCost> = {}): PrivacyCost {
  return {
    mechanism: 'svt',
    differentiallyPrivate: Number.isFinite(epsilon),
    epsilon,
    delta: 0,
    unit: 'one update of one site',
    details: { epsilonQuery: 0.5, total: 4_702_227 },
    ...changes,
  };
}

/** A finished round in which each site answered, with a filter call of the given cost. */
export function round(number: number, dice: number, charged?: PrivacyCost): RoundEntry {
  const metrics = { val_dice: dice, val_dice_tc: dice / 2, val_dice_wt: dice, val_dice_et: null };
  return {
    round: number,
    metrics: { ...metrics, train_loss: 1 - dice },
    sites: sites.map((name) => ({
      name,
      status: 'ok',
      steps: 6,
      metrics: { ...metrics, train_loss: 1 - dice },
      ...(charged && { privacy: [charged] }),
    })),
    seconds: 10,
    time: '2026-01-31T12:00:00.000Z',
  };
}

/** The evaluation of the finished model. */
export function finalEntry(number: number, dice: number): RoundEntry {
  return { ...round(number, dice), final: true };
}

/** A 12×10×4 volume with a bright box, and labels 1, 2 and 4 in its third slice. */
export function caseImages(changes: Partial<CaseImages> = {}): CaseImages {
  const shape = [12, 10, 4] as const;
  const at = (x: number, y: number, z: number) => (x * shape[1] + y) * shape[2] + z;
  const data = new Float32Array(12 * 10 * 4);
  const truth = new Uint8Array(data.length);
  for (let x = 2; x < 10; x++) for (let y = 1; y < 8; y++) for (let z = 0; z < 4; z++) data[at(x, y, z)] = x + y + 1;
  for (let x = 3; x < 7; x++) for (let y = 3; y < 6; y++) truth[at(x, y, 2)] = x === 3 ? 4 : x === 4 ? 1 : 2;
  return {
    name: 'Case_1',
    shape,
    modalities: ['T1c', 'T1', 'T2', 'FLAIR'].map((name) => ({ name, data })),
    truth,
    prediction: truth,
    scores: { WT: 0.9, ET: null },
    ...changes,
  };
}

export function reportData(changes: Partial<ReportData> = {}): ReportData {
  return {
    job: 'brats18_2',
    outcome: 'finished',
    entries: [round(0, 0.1), round(1, 0.6), finalEntry(2, 0.5)],
    plannedRounds: 2,
    sites,
    metric: bratsDice,
    syntheticData: false,
    seed: 7,
    startedAt: new Date('2026-01-31T11:58:00Z'),
    seconds: 131,
    versions: { consilium: '0.1.0', node: '20.20.2' },
    modelSha256: 'ab'.repeat(32),
    parameters: 4_702_227,
    cases: [caseImages()],
    ...changes,
  };
}
