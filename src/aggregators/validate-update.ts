import { UpdateRejectedError } from '../errors';
import type { Payload } from '../protocol/payload';
import { firstNonFinite } from '../tensor/first-non-finite';
import { type NamedTensors, sameShape, type Tensor } from '../tensor/tensor';
import type { SiteUpdate } from './aggregator';

/** What every update of a round must look like. */
export interface UpdateRules {
  /** Names, shapes and dtypes of the global model. */
  readonly reference: NamedTensors;
  readonly kind: Payload['kind'];
  readonly round: number;
  /** The largest step count that a site may claim: its weight in the average. */
  readonly maxSteps: number;
}

/** Checks an update as a whole, without changing anything. @throws UpdateRejectedError */
export function validateUpdate({ site, round, payload }: SiteUpdate, rules: UpdateRules): void {
  const { reference, kind, maxSteps } = rules;
  if (round !== rules.round) reject(site, `it is for round ${round}, but this is round ${rules.round}`);
  if (payload.kind !== kind) reject(site, `it is of kind '${payload.kind}', but '${kind}' is expected`);
  if (!Number.isInteger(payload.steps) || payload.steps < 1 || payload.steps > maxSteps) {
    reject(site, `its step count is ${payload.steps}, but an integer from 1 to ${maxSteps} is expected`);
  }
  for (const name of payload.tensors.keys()) {
    if (!reference.has(name)) reject(site, `the global model has no tensor '${name}'`);
  }
  for (const [name, expected] of reference) checkTensor(site, name, expected, payload.tensors.get(name));
}

const sameJob = 'Check that the site runs the same job and the same version as the server.';

/** Refuses an update, naming its site. */
export function reject(site: string, reason: string, hint: string = sameJob): never {
  throw new UpdateRejectedError(`The update of ${site} was refused: ${reason}. Nothing of it was added.`, { hint });
}

function checkTensor(site: string, name: string, expected: Tensor, actual: Tensor | undefined): void {
  if (actual === undefined) reject(site, `it lacks the tensor '${name}'`);
  if (actual.dtype !== expected.dtype || !sameShape(actual.shape, expected.shape)) {
    reject(
      site,
      `tensor '${name}' is ${actual.dtype} [${actual.shape}], but ${expected.dtype} [${expected.shape}] is expected`,
    );
  }
  if (actual.data.length !== expected.data.length) {
    reject(site, `tensor '${name}' holds ${actual.data.length} elements, but ${expected.data.length} are expected`);
  }
  const index = firstNonFinite(actual);
  if (index !== -1) reject(site, `tensor '${name}' is not finite at element ${index}`);
}
