import { RefusedError, withSummary } from '../../errors';

/** Longest reason that the wire carries, characters. */
const longestReason = 2000;

/**
 * Why a site takes no part. Message and hint hold nothing of this site: both are told to whoever submitted the job.
 *
 * @param message without a full stop at its end
 * @param options.hint what to do next, full sentences
 */
export function refusedFor(message: string, options: { readonly hint: string; readonly cause?: unknown }): Error {
  const next = `. ${options.hint.replace(/\.$/, '')}`;
  return withSummary(new RefusedError(message, options), message.slice(0, longestReason - next.length) + next);
}
