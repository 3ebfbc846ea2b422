import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { errorTags } from '../../src/errors';
import { runProgram } from '../support/run-program';

const consilium = (...args: readonly string[]) => runProgram('node', ['bin/consilium.js', ...args, '--json']);

describe('--json', () => {
  it('documents every class of error', async () => {
    const page = readFileSync('docs/reference/output.md', 'utf8');
    for (const tag of errorTags) expect(page).toContain(`\`${tag}\``);
  });

  it.each([
    ['recipe', 'list'],
    ['recipe', 'show', 'FedAvgRecipe'],
    ['model', 'list'],
    ['model', 'show', 'segresnet', '--shape', '16', '16', '16'],
    ['job', 'show', 'brats18'],
    ['job', 'validate', 'jobs/brats18.yaml'],
    ['job', 'schema'],
  ])('prints one object on one line: %s %s', async (...args) => {
    const { status, stdout } = await consilium(...args);
    expect(status).toBe(0);
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(JSON.parse(stdout)).not.toBeInstanceOf(Array);
  });

  it.each([
    ['recipe', 'show', 'none'],
    ['model', 'lst'],
    ['model', 'show', 'segresnet', '--shapes', '16'],
    ['job', 'show', './none.yaml'],
    ['simulate', './none.yaml'],
    ['report', './none'],
    ['compare', './none'],
    ['provision', './none.yaml', '--out', './none'],
    ['provision', './none.yaml'],
    ['provision', 'show', './none'],
    ['provision', 'add-site', 'x'],
    ['evaluate'],
    ['nonsense'],
  ])('prints the error as an object, with exit code 2: %s %s', async (...args) => {
    const { status, stdout } = await consilium(...args);
    expect(status).toBe(2);
    expect(JSON.parse(stdout)).toEqual({
      error: { tag: 'ConfigError', message: expect.stringMatching(/./), hint: expect.toSatisfy(() => true) },
    });
  });
});
