/**
 * Colours where a person reads: on a terminal, or where FORCE_COLOR asks for them, never with NO_COLOR (https://no-color.org).
 * That a build server runs the command (CI) is no reason: its logs are read by programs too.
 *
 * @module
 */
import pc from 'picocolors';

/** Whether what is written to the stream is coloured. */
export function isColoured(
  { isTTY }: { readonly isTTY?: boolean },
  { NO_COLOR, FORCE_COLOR, TERM }: NodeJS.ProcessEnv,
): boolean {
  if (NO_COLOR) return false;
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== '') return FORCE_COLOR !== '0';
  return isTTY === true && TERM !== 'dumb';
}

/** The colours of what is written to a stream: those of picocolors, or none. */
export function coloursOf(stream: { readonly isTTY?: boolean }): Colours {
  return pc.createColors(isColoured(stream, process.env));
}

export type Colours = ReturnType<typeof pc.createColors>;

/** For standard output. */
export const outColours = coloursOf(process.stdout);
/** For standard error. */
export const errColours = coloursOf(process.stderr);
