/**
 * What a server may know of a site's failure: its class, and where in the task it came. Messages stay in the site's own log,
 * because they may hold values of its data and names of its files.
 *
 * @module
 */
import { constants } from 'node:os';
import { type ErrorData, type ErrorTag, errorToData, isConsiliumError } from '../errors';

/** The failure as the server is told of it. */
export function failureSummary(error: unknown): ErrorData {
  const { tag, summary = summarise(error) } = errorToData(error);
  return { tag, message: `${summary}; the site's log has the details`, hint: undefined, stack: undefined };
}

/**
 * An error in words that hold nothing of its message: `its data cannot be used (DataError, while training, after 3 of 12 steps)`.
 *
 * @param stage where in the task it came; nothing from data
 */
export function summarise(error: unknown, stage?: string): string {
  const what = isConsiliumError(error) ? meanings[error.tag] : 'something unexpected went wrong';
  const cause = error instanceof Error ? classOf(error.cause) : undefined;
  const where = [classOf(error), cause, stage].filter((one) => one !== undefined).join(', ');
  return where === '' ? what : `${what} (${where})`;
}

/** Total by type: a class of error that nobody has words for does not compile. */
const meanings: Readonly<Record<ErrorTag, string>> = {
  ConfigError: 'what the job or its own settings say does not fit there',
  DataError: 'its data cannot be used',
  ShapeError: 'tensors do not fit',
  FilterBlockedError: 'a filter let nothing through',
  UpdateRejectedError: 'its update was refused',
  SiteFailedError: 'its training code failed',
  WorkflowError: 'what combines the updates failed',
  QuorumError: 'too few answered',
  WorkspaceError: 'it cannot use its workspace',
  NonFiniteError: 'its numbers are no longer finite',
  EngineError: 'the runtime failed',
  ConnectError: 'it has no connection',
  ProtocolError: 'it was sent what it does not understand',
  RefusedError: 'it does not allow this',
  AbortedError: 'it was stopped',
  InternalError: 'something unexpected went wrong',
};

/** Ours, one of JavaScript, or one of the system. Any other name was chosen by somebody's code, and is not told. */
function classOf(error: unknown): string | undefined {
  if (isConsiliumError(error)) return error.tag;
  if (!(error instanceof Error)) return undefined;
  const { code } = error as NodeJS.ErrnoException;
  if (code !== undefined && Object.hasOwn(constants.errno, code)) return code;
  // From another thread an error has its class in its stack alone.
  const name = /^\w+/.exec(error.stack ?? '')?.[0] ?? error.name;
  return ofJavaScript.find((one) => one === name) ?? ofJavaScript.find((one) => one === error.name);
}

const ofJavaScript = ['TypeError', 'RangeError', 'ReferenceError', 'SyntaxError', 'EvalError', 'URIError', 'Error'];
