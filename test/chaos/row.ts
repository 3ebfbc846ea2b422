/**
 * A row of the chaos matrix: what is done to a federation, and what must be true all the same.
 *
 * @module
 */

import type { RunResult } from '../../src/jobs/environment';
import type { ChaosOptions } from './chaos-federation';
import { type Course, expectWhole, type Oracle, openStage, type Stage } from './stage';
import type { ToyJob } from './toy-job';

export interface ChaosRow {
  /** As in the matrix: `C-06`. */
  readonly id: string;
  /** The fault and its moment; a row of the matrix that has several cases is several rows here. */
  readonly title: string;
  /** Also in `npm test`. */
  readonly often?: boolean;
  /** It mostly waits: it runs beside others of its kind. */
  readonly patient?: boolean;
  run(): Promise<void>;
}

export interface Scene extends Oracle {
  readonly federation?: ChaosOptions;
  readonly job?: Partial<ToyJob>;
  /** Before the job is submitted. */
  readonly before?: (stage: Stage) => Promise<unknown>;
  /** What is done while the job runs. @default nothing */
  readonly act?: (stage: Stage, course: Course) => Promise<unknown>;
  /** What else must be true once it has finished. */
  readonly check?: (stage: Stage, course: Course, result: RunResult) => unknown;
}

/** A row in which the job is to finish, with the bytes of an undisturbed run. */
export function survives(id: string, title: string, scene: Scene, more: Partial<ChaosRow> = {}): ChaosRow {
  const { federation, job, before, act, check } = scene;
  return row(
    id,
    title,
    async (stage) => {
      await before?.(stage);
      const course = stage.submit(job);
      await act?.(stage, course);
      const result = await expectWhole(stage, course, scene);
      await check?.(stage, course, result);
    },
    { federation, ...more },
  );
}

/** A row that says itself what must be true. No process may be left, and all that still run must end in order. */
export function row(
  id: string,
  title: string,
  play: (stage: Stage) => Promise<void>,
  { federation, ...more }: Partial<ChaosRow> & { readonly federation?: ChaosOptions | undefined } = {},
): ChaosRow {
  return {
    id,
    title,
    ...more,
    async run() {
      const stage = await openStage(federation);
      try {
        await play(stage);
      } catch (error) {
        await stage.close().catch(() => {}); // The first error is the one to tell.
        throw error;
      }
      await stage.close();
    },
  };
}
