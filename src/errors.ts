/**
 * Every error class of the library. A message says what was expected, what came and where; `hint` says what to do next.
 * Tags cross thread and wire boundaries, `instanceof` does not: test with {@link isConsiliumError}.
 *
 * @module
 */

/** What all errors of this library share. Abstract: throw one of the final classes below. */
export abstract class ConsiliumError extends Error {
  abstract readonly tag: ErrorTag;
  /** The next step for the reader, a full sentence without the error itself. */
  readonly hint: string | undefined;

  constructor(message: string, options: ErrorOptions & { readonly hint?: string } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.hint = options.hint;
    this.name = new.target.name;
  }
}

/** A flag, recipe option, job file or policy is wrong. Command line exit code 2. */
export class ConfigError extends ConsiliumError {
  readonly tag = 'ConfigError';
}

/** A file of the user's data (image, label, datalist, checkpoint) is missing, unreadable or inconsistent. Exit code 2. */
export class DataError extends ConsiliumError {
  readonly tag = 'DataError';
  /** The file at fault. Stays at the site: it is stripped before an error leaves it. */
  readonly file: string | undefined;

  constructor(message: string, options: ErrorOptions & { readonly hint?: string; readonly file?: string } = {}) {
    super(message, options);
    this.file = options.file;
  }
}

/** Tensors whose shapes or dtypes do not fit a rule. */
export class ShapeError extends ConsiliumError {
  readonly tag = 'ShapeError';
}

/** A payload was refused by a privacy filter: nothing was sent. */
export class FilterBlockedError extends ConsiliumError {
  readonly tag = 'FilterBlockedError';
}

/** The server refused an update as a whole: not a number of it was added. */
export class UpdateRejectedError extends ConsiliumError {
  readonly tag = 'UpdateRejectedError';
}

/** A site could not carry out a task. */
export class SiteFailedError extends ConsiliumError {
  readonly tag = 'SiteFailedError';
}

/** The server's own part of a round failed: the workflow, or the aggregator that combines the updates. */
export class WorkflowError extends ConsiliumError {
  readonly tag = 'WorkflowError';
}

/** Fewer sites answered than the round needs. Finished rounds are kept. */
export class QuorumError extends ConsiliumError {
  readonly tag = 'QuorumError';
}

/** The workspace cannot be used: unwritable, full, or taken by another run. */
export class WorkspaceError extends ConsiliumError {
  readonly tag = 'WorkspaceError';
}

/** Numbers that must be finite are not. */
export class NonFiniteError extends ConsiliumError {
  readonly tag = 'NonFiniteError';
}

/** The runtime (onnxruntime, an execution provider, a worker) failed or is missing. */
export class EngineError extends ConsiliumError {
  readonly tag = 'EngineError';
}

/** No connection could be made, or it was lost for good: address, certificate, network. */
export class ConnectError extends ConsiliumError {
  readonly tag = 'ConnectError';
}

/** The other end speaks wrong: an unknown message, a broken frame, a version that nobody has. */
export class ProtocolError extends ConsiliumError {
  readonly tag = 'ProtocolError';
}

/** What was asked for is not allowed: by a role, a roster, a site's policy, a signature. */
export class RefusedError extends ConsiliumError {
  readonly tag = 'RefusedError';
}

/** The user or the caller stopped the run. Exit code 130. */
export class AbortedError extends ConsiliumError {
  readonly tag = 'AbortedError';
}

/** A broken invariant of this library: please report it. */
export class InternalError extends ConsiliumError {
  readonly tag = 'InternalError';
}

const errorClasses = {
  ConfigError,
  DataError,
  ShapeError,
  FilterBlockedError,
  UpdateRejectedError,
  SiteFailedError,
  WorkflowError,
  QuorumError,
  WorkspaceError,
  NonFiniteError,
  EngineError,
  ConnectError,
  ProtocolError,
  RefusedError,
  AbortedError,
  InternalError,
} as const;

export type ErrorTag = keyof typeof errorClasses;

/** All tags, as documented for programs. */
export const errorTags = Object.keys(errorClasses) as readonly ErrorTag[];

/** Whether a word from elsewhere is one of our tags. */
export function isErrorTag(word: string): word is ErrorTag {
  return Object.hasOwn(errorClasses, word);
}

/** Whether `error` is one of ours, and of `tag` when that is given. Works across threads and realms. */
export function isConsiliumError(error: unknown, tag?: ErrorTag): error is ConsiliumError {
  if (typeof error !== 'object' || error === null || !('tag' in error)) return false;
  return tag === undefined ? isErrorTag(String(error.tag)) : error.tag === tag;
}

/**
 * What may be told of an error elsewhere, beside its tag: no values and no file names. It stands under a symbol, so that no
 * error of somebody else's code has one.
 */
const summaryKey = Symbol.for('consilium.error-summary');

/** The error itself, with what may be told of it elsewhere. */
export function withSummary(error: unknown, summary: string): Error {
  const carrier = error instanceof Error ? error : new Error(String(error));
  return Object.defineProperty(carrier, summaryKey, { value: summary, configurable: true });
}

/** What {@link withSummary} has put on it. */
export function summaryOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  return (error as { readonly [summaryKey]?: string })[summaryKey];
}

/** An error as plain data, for `postMessage`. */
export interface ErrorData {
  readonly tag: ErrorTag;
  readonly message: string;
  readonly hint: string | undefined;
  readonly stack: string | undefined;
  /** What may be told of it elsewhere. */
  readonly summary?: string;
}

/** The error as plain data that survives `structuredClone`; unknown errors become `InternalError`. */
export function errorToData(error: unknown): ErrorData {
  const text = summaryOf(error);
  const summary = text === undefined ? {} : { summary: text };
  if (isConsiliumError(error)) {
    return { tag: error.tag, message: error.message, hint: error.hint, stack: error.stack, ...summary };
  }
  const message = error instanceof Error ? error.message : String(error);
  const stack = error instanceof Error ? error.stack : undefined;
  return { tag: 'InternalError', message, hint: undefined, stack, ...summary };
}

/** The inverse of {@link errorToData}. */
export function errorFromData(data: ErrorData): ConsiliumError {
  const error = new errorClasses[data.tag](data.message, data.hint === undefined ? {} : { hint: data.hint });
  if (data.stack !== undefined) error.stack = data.stack;
  if (data.summary !== undefined) withSummary(error, data.summary);
  return error;
}
