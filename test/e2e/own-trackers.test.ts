import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { FedAvgRecipe, SimEnv } from '../../src';
import { failingTrainer } from '../support/parts/failing-trainer';
import { teller } from '../support/parts/marks';
import { kinds } from '../support/parts/trackers';

const workspace = mkdtempSync(join(tmpdir(), 'consilium-trackers-'));
afterAll(() => rmSync(workspace, { recursive: true }));

function run(name: string, throwsAt?: string, trainer = teller()) {
  const file = join(workspace, `${name}.txt`);
  const recipe = new FedAvgRecipe({
    name,
    sites: 1,
    rounds: 2,
    model: { kind: 'tensors', tensors: { w: [1] } },
    trainer,
    keyMetric: 'received',
  });
  recipe.addTracker(kinds({ file, ...(throwsAt !== undefined && { throwsAt }) }));
  const told = () => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []);
  return { result: recipe.execute(new SimEnv({ workspace })).result(), told };
}

describe('a tracker', () => {
  it('is told of everything in order, the end included, and closed', async () => {
    const { result, told } = run('all');
    await result;
    const round = ['round-started', 'metrics', 'round-finished'];
    const without = told().filter((kind) => kind !== 'log' && kind !== 'progress');
    expect(without).toEqual(['created', 'started', 'site-joined', ...round, ...round, ...round, 'done', 'closed']);
  });

  it('is told of the end of a run that fails, too', async () => {
    const { result, told } = run('failing', undefined, failingTrainer({ round: 1 }));
    await expect(result).rejects.toMatchObject({ tag: 'QuorumError' });
    expect(told().slice(-2)).toEqual(['done', 'closed']);
  });

  it.each([
    ['created', undefined],
    ['site-joined', 'closed'],
    ['metrics', 'closed'],
    ['done', 'closed'],
    ['closed', 'done'],
  ])('that throws at %s ends the run with its error', async (at, last) => {
    const { result, told } = run(`throws-${at}`, at);
    await expect(result).rejects.toThrow(`the tracker's server is down (${at})`);
    expect(told().at(-1)).toBe(last);
  });
});
