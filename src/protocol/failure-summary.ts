import { type ErrorData, errorToData, isConsiliumError } from '../errors';

/** What the server may know of a site's failure: its kind. File names and values stay in the site's own log. */
export function failureSummary(error: unknown): ErrorData {
  const { tag } = errorToData(error);
  const what = isConsiliumError(error) ? tag : 'an unexpected error';
  return { tag, message: `${what}; the site's log has the details`, hint: undefined, stack: undefined };
}
