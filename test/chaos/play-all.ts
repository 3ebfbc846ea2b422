/**
 * Runs rows of the chaos matrix as tests.
 *
 * @module
 */
import { afterAll, beforeAll, describe, it } from 'vitest';
import { removeCompiled } from './compiled';
import { matrix } from './matrix';
import type { ChaosRow } from './row';
import { noteUndisturbed, openStage, secondsOf } from './stage';

export function playAll(isMeant: (row: ChaosRow) => boolean): void {
  beforeAll(measureUndisturbed, 300_000);
  afterAll(removeCompiled);
  const rows = matrix.filter(isMeant);
  describe('a federation of real processes', () => {
    for (const row of rows.filter(({ patient }) => !patient)) it(nameOf(row), row.run, 120_000);
  });
  const patient = rows.filter((row) => row.patient);
  if (patient.length === 0) return; // A suite without a test is an error.
  describe('a federation of real processes, for a long time', () => {
    for (const row of patient) it.concurrent(nameOf(row), row.run, 400_000);
  });
}

function nameOf({ id, title }: ChaosRow): string {
  return `${id} ${title}`;
}

/** On this machine, now. */
async function measureUndisturbed(): Promise<void> {
  const stage = await openStage();
  const course = stage.submit();
  await course.result();
  noteUndisturbed(secondsOf(stage.audit(), course));
  await stage.close();
}
