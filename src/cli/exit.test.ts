import { CommanderError } from 'commander';
import { afterEach, expect, test, vi } from 'vitest';
import { DataError } from '../errors';
import { printError, runCommand } from './exit';

afterEach(() => {
  vi.restoreAllMocks();
});

/** What an error prints, without colours. */
function printed(error: unknown): string {
  let text = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
    text += String(chunk);
    return true;
  });
  printError(error);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control characters.
  return text.replace(/\x1b\[\d+m/g, '');
}

test('what an error takes over from its cause is printed once', () => {
  const cause = new DataError('It is cut off.', { hint: 'Copy it again.' });
  const error = new DataError("Cannot read 'a': It is cut off.", { cause, hint: 'Copy it again.' });
  expect(printed(error)).toBe("error: Cannot read 'a': It is cut off.\n→ Copy it again.\n");
});

test('a cause that says more is printed with its own hint', () => {
  const cause = new DataError('It is cut off.', { hint: 'Copy it again.' });
  expect(printed(new DataError("Cannot read 'a'.", { cause }))).toBe(
    "error: Cannot read 'a'.\nbecause: It is cut off.\n→ Copy it again.\n",
  );
});

test('the stack of a cause that nobody put in words is printed, of one that the message holds already not', () => {
  const cause = new SyntaxError('Unexpected end');
  expect(printed(new DataError('list.json: not valid JSON (Unexpected end).', { cause }))).toBe(
    'error: list.json: not valid JSON (Unexpected end).\n',
  );
  expect(printed(new DataError('list.json: not valid JSON.', { cause }))).toMatch(
    /because: Unexpected end\nSyntaxError: Unexpected end\n\s+at /,
  );
});

test('with --json a wrong flag is told as other errors are, without the label that people read', async () => {
  vi.spyOn(process, 'argv', 'get').mockReturnValue(['node', 'consilium', 'show', '--json']);
  let text = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    text += String(chunk);
    return true;
  });
  const { exitCode } = process;
  await runCommand(() =>
    Promise.reject(new CommanderError(1, 'commander.unknownOption', "error: unknown option '-x'")),
  );
  process.exitCode = exitCode;
  expect(JSON.parse(text)).toEqual({
    error: { tag: 'ConfigError', message: "unknown option '-x'", hint: 'See consilium show --help.' },
  });
});
