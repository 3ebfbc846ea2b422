/**
 * How a command ends: one message, the next step, a documented exit code.
 *
 * @module
 */
import { CommanderError } from 'commander';
import { errorToData, isConsiliumError } from '../errors';
import { errColours } from './colours';
import { hasPrintedJson, printJson } from './print-json';

const wrongInput: ReadonlySet<string> = new Set(['ConfigError', 'DataError', 'RefusedError']);

/** 0 finished, 1 failed, 2 wrong input or not allowed (another try would end the same way), 130 stopped. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (isConsiliumError(error, 'AbortedError')) return 130;
  if (isConsiliumError(error) && wrongInput.has(error.tag)) return 2;
  const cause = error instanceof Error ? error.cause : undefined;
  return cause !== undefined && exitCodeOf(cause) === 2 ? 2 : 1;
}

/**
 * Prints the error with its causes and hints to standard error. Commander has printed its own already. What an error has
 * taken over from its cause, words or hint, is printed once; the stack of somebody else's error where nobody has put it in
 * words.
 */
export function printError(error: unknown): void {
  if (error instanceof CommanderError) return;
  let current: unknown = error;
  let label = 'error';
  const said: (string | undefined)[] = [];
  while (current instanceof Error || isConsiliumError(current)) {
    const { message } = current;
    const isNew = !said.some((text) => text?.includes(message));
    if (isNew) process.stderr.write(`${errColours.red(`${label}:`)} ${message}\n`);
    said.push(message);
    if (isConsiliumError(current)) {
      if (current.hint && !said.includes(current.hint))
        process.stderr.write(`${errColours.dim('→')} ${current.hint}\n`);
      said.push(current.hint);
    } else if (isNew && !isSystemError(current)) {
      process.stderr.write(`${current.stack ?? ''}\n`);
    }
    current = current.cause;
    label = 'because';
  }
}

/** What the operating system said: the message has all there is to know. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}

/** Runs a command to its end and sets the exit code. Nothing is thrown past it. */
export async function runCommand(command: () => Promise<void>): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', ignoreClosedPipe);
  try {
    await command();
  } catch (error) {
    printError(error);
    if (process.argv.includes('--json') && !isHelp(error) && !hasPrintedJson()) printJson(failure(error));
    process.exitCode = exitCodeOf(error);
  }
}

/** Commander ends `--help` and `--version` by an error too. */
function isHelp(error: unknown): boolean {
  return error instanceof CommanderError && error.exitCode === 0;
}

function failure(error: unknown) {
  if (error instanceof CommanderError) {
    return { error: { tag: 'ConfigError', message: error.message.replace(/^error: /, ''), hint: helpFor(error) } };
  }
  const { tag, message, hint } = errorToData(error);
  return { error: { tag, message, hint: hint ?? null } };
}

/** Where the help is that a usage error asks for. */
function helpFor({ code }: CommanderError): string {
  const command = process.argv[2] ?? '';
  const isCommand = /^[a-z][a-z-]*$/.test(command) && code !== 'commander.unknownCommand';
  return `See consilium ${isCommand ? `${command} ` : ''}--help.`;
}

/** A reader that went away (`… | head`) ends the output, not the run. */
function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}
