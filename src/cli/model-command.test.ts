import { describe, expect, it, vi } from 'vitest';
import { exitCodeOf, printError } from './exit';
import { modelCommand } from './model-command';

/** What a command that fails prints, and its exit code. */
async function failure(...args: readonly string[]): Promise<{ readonly printed: string; readonly code: number }> {
  const error: unknown = await modelCommand()
    .parseAsync(['show', ...args], { from: 'user' })
    .then(
      () => undefined,
      (reason: unknown) => reason,
    );
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  try {
    printError(error);
    return { printed: write.mock.calls.map(([text]) => String(text)).join(''), code: exitCodeOf(error) };
  } finally {
    write.mockRestore();
  }
}

describe('consilium model show', () => {
  it.each([
    [
      ['segresnet', '--shape', '63', '64', '64'],
      /--shape 63 64 64 does not fit .* multiples of 8\], not \[1,4,63,64,64\]/,
    ],
    [['segresnet', '--shape', '64', '64'], /--shape 64 64 does not fit .* 3 spatial lengths/],
    [['patchgan', '--shape', '8', '8'], /--shape 8 8 does not fit .*the kernel must not be larger/],
  ])('takes lengths that do not fit for a wrong flag, and says so once: %o', async (args, message) => {
    const { printed, code } = await failure(...args);
    expect(code).toBe(2);
    expect(printed).toMatch(message);
    expect(printed).toMatch(/For example: --shape (64 64 64|256 256)\n$/);
    expect(printed).not.toContain('because:');
  });
});
