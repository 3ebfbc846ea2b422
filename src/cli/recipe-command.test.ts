import { afterEach, beforeEach, expect, it, type MockInstance, vi } from 'vitest';
import { recipeCommand } from './recipe-command';

let output: MockInstance;
beforeEach(() => {
  output = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
});
afterEach(() => output.mockRestore());

const run = async (...args: readonly string[]): Promise<string> => {
  await recipeCommand().parseAsync([...args], { from: 'user' });
  return output.mock.calls.map(([text]) => String(text)).join('');
};

it('lists the recipes, for people and as JSON', async () => {
  expect(await run('list')).toMatch(/^Brats18Recipe +Federated averaging/);
  output.mockClear();
  expect(JSON.parse(await run('list', '--json')).recipes).toContainEqual({
    name: 'FedAvgRecipe',
    summary: expect.any(String),
  });
});

it('shows the options of one, required ones first, under any spelling of its name', async () => {
  const text = await run('show', 'fed-avg');
  expect(text).toContain('FedAvgRecipe');
  expect(text.indexOf('  rounds: number')).toBeLessThan(text.indexOf('  seed?: number'));
  expect(text).toContain('(default 0)');
});

it('names the nearest recipe for one that there is not', async () => {
  await expect(run('show', 'FedAvrgRecipe')).rejects.toMatchObject({
    tag: 'ConfigError',
    message: expect.stringContaining("Did you mean 'FedAvgRecipe'?"),
  });
});
