/**
 * Federated evaluation: the model that the job starts from, scored at every site. Nothing is trained.
 *
 * @module
 */
import type { AskOptions } from './ask-sites';
import { finalEvaluation } from './training-rounds';
import type { RoundReport, WorkflowParts, WorkflowState } from './workflow';

/** Yields one report. */
export async function* fedEval(
  spec: AskOptions,
  start: WorkflowState,
  parts: WorkflowParts,
): AsyncGenerator<RoundReport> {
  yield await finalEvaluation(spec, start, parts);
}
