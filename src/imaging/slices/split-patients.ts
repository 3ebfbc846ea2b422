import { DataError } from '../../errors';
import type { SliceSplit } from './layout';

/** Shares of the patients that are trained on, and of those that are validated on; the rest are for the test. */
const TRAIN_SHARE = 0.75;
const VALIDATION_SHARE = 0.1;

/**
 * Patients to splits in the order of the list: the first 75 % train, the next 10 % validation, the rest test; rounded down, and at
 * least one patient in each. All slices of a patient are in one split.
 *
 * @throws DataError for fewer than three patients.
 */
export function splitPatients<T>(patients: readonly T[]): Readonly<Record<SliceSplit, readonly T[]>> {
  const { length } = patients;
  if (length < 3) {
    throw new DataError(`${length} patients, expected at least 3: one each for training, validation and test.`, {
      hint: 'Add patients; slices of one patient may not be in two splits.',
    });
  }
  const validation = Math.max(1, Math.floor(VALIDATION_SHARE * length));
  const train = Math.min(Math.max(1, Math.floor(TRAIN_SHARE * length)), length - validation - 1);
  return {
    train: patients.slice(0, train),
    validation: patients.slice(train, train + validation),
    test: patients.slice(train + validation),
  };
}
