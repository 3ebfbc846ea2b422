/**
 * What somebody else wrote and people read: it ends up on terminals and in logs, so whatever a terminal would act upon is taken
 * out where it is received. Nobody is refused for it: honest software of an earlier release may send a line end.
 *
 * @module
 */
import { z } from 'zod';
import { oneLine, shownName } from '../../util/one-line';

/** A text, which becomes one line. @param most longest text, characters */
export function foreignText(most: number): z.ZodString {
  return z.string().max(most).overwrite(oneLine);
}

/** A name, which stays the same but for what cannot be seen. @param most longest name, characters */
export function foreignName(most: number): z.ZodString {
  return z.string().max(most).overwrite(shownName);
}
