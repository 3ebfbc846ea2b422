import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { numbersOf, testContext, weightDiff } from '../../../test/support/filter-context';
import { applyFilters } from '../../filters/filter';
import type { Payload } from '../../protocol/payload';
import { parsePolicy, policySpec } from './policy';
import { type PolicyFilterClient, policyFilterClient } from './policy-filter-client';
import { policyFilters } from './policy-filters';

const parts = join(__dirname, '..', '..', '..', 'test', 'support', 'parts', 'marks.ts');
const workspace = mkdtempSync(join(tmpdir(), 'consilium-filters-'));
afterAll(() => rmSync(workspace, { recursive: true }));
const clients: PolicyFilterClient[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
});

const apply = (policy: object, payload: Payload) =>
  applyFilters(policyFilters(policySpec.parse(policy)), payload, testContext());
const svt = { kind: 'svt', fraction: 1, epsilon: 1, noiseVar: 1, gamma: 1 };
const scores: Payload = { kind: 'metrics', tensors: new Map(), metrics: { val_dice: 0.5, cases: 3 }, steps: 0 };

describe('what may leave a site', () => {
  it('is everything where the policy says nothing', async () => {
    expect(await apply({}, weightDiff([[1, 2]]))).toEqual(weightDiff([[1, 2]]));
  });

  it('are the kinds of payload that are listed', async () => {
    const policy = { payloads: ['metrics'] };
    expect(await apply(policy, scores)).toEqual(scores);
    await expect(apply(policy, weightDiff([[1]]))).rejects.toMatchObject({ tag: 'FilterBlockedError' });
  });

  it('are the metrics that are listed, whatever a filter before added', async () => {
    expect((await apply({ metrics: ['val_*'] }, scores)).metrics).toEqual({ val_dice: 0.5 });
    expect((await apply({ metrics: [] }, scores)).metrics).toEqual({});
  });

  it('is never a weight that calls itself a metric', async () => {
    const disguised: Payload = { ...weightDiff([[1, 2]]), kind: 'metrics' };
    for (const policy of [{}, { filters: [{ filter: svt }] }]) {
      await expect(apply(policy, disguised)).rejects.toMatchObject({ tag: 'FilterBlockedError' });
    }
  });

  it('is nothing that a filter of the policy cannot handle, unless the policy names what passes it', async () => {
    const weights: Payload = { ...weightDiff([[1]]), kind: 'weights' };
    await expect(apply({ filters: [{ filter: svt }] }, weights)).rejects.toThrow(/accepts only weight-diff/);
    expect(await apply({ filters: [{ payloads: ['weight-diff'], filter: svt }] }, weights)).toEqual(weights);
    await expect(apply({ filters: [{ payloads: ['weights'], filter: svt }] }, weights)).rejects.toThrow(/accepts only/);
  });
});

describe('the thread of the filters', () => {
  const read = (text: string) => parsePolicy(Buffer.from(text), join(workspace, 'policy.yaml'));
  const open = (folder: string, testNoiseSeed?: number) => {
    const client = policyFilterClient({ site: 'site-1', workspace: join(workspace, folder), testNoiseSeed });
    clients.push(client);
    return client;
  };
  const { signal } = new AbortController();
  const out = (text: string, job: string, round = 0) => ({
    policy: read(text),
    ...{ job, round, task: 'train', payload: weightDiff([[1, 2, 3]]) },
  });

  it('noises what passes, and says what it cost', async () => {
    const text = 'filters: [{ filter: { kind: svt, fraction: 1, epsilon: 1, noiseVar: 2, gamma: 4 } }]';
    const { payload, costs } = await open('noise').filter(out(text, 'a'), signal);
    expect(numbersOf(payload)).not.toEqual([1, 2, 3]);
    expect(costs).toMatchObject([{ mechanism: 'svt', differentiallyPrivate: true }]);
    expect(costs[0]?.epsilon).toBeCloseTo(1 + 3 * 2, 3);
  });

  it('keeps one account over all jobs and restarts: a budget is that of the site, however often a job is submitted', async () => {
    const text = 'filters: [{ filter: { kind: svt, fraction: 1, epsilon: 1, noiseVar: 2, gamma: 4, budget: 15 } }]';
    const first = open('budget');
    expect((await first.filter(out(text, 'a'), signal)).costs).toHaveLength(1);
    expect((await first.filter(out(text, 'a'), signal)).costs).toHaveLength(2);
    await first.close();
    const again = open('budget');
    await expect(again.filter(out(text, 'b'), signal)).rejects.toThrow(/budget/);
    const lines = readFileSync(join(workspace, 'budget', 'privacy', 'ledger.jsonl'), 'utf8')
      .trim()
      .split('\n');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ job: 'a' }, { job: 'a' }]);
  });

  it("runs the site's own filters after those of a job, and the next payload after an error", async () => {
    const client = open('own');
    const mark = `modules: [${parts}]\nfilters: [{ filter: { kind: test/mark, metric: marked } }]\n`;
    const passed = await client.filter(out(mark, 'a'), signal);
    expect(passed.payload.metrics).toEqual({ train_loss: 0.5, marked: 1 });
    const block = `modules: [${parts}]\nfilters: [{ filter: { kind: test/block } }]\n`;
    await expect(client.filter(out(block, 'a'), signal)).rejects.toThrow('too few cases');
    expect((await client.filter(out(`${mark}metrics: [train_loss]`, 'a'), signal)).payload.metrics).toEqual({
      train_loss: 0.5,
    });
  });

  it('blocks everything when the account is not whole', async () => {
    const text = 'filters: [{ filter: { kind: svt, fraction: 1, epsilon: 1, noiseVar: 2, gamma: 4 } }]';
    const first = open('damaged');
    await first.filter(out(text, 'a'), signal);
    await first.close();
    writeFileSync(join(workspace, 'damaged', 'privacy', 'ledger.jsonl'), '');
    await expect(open('damaged').filter(out(text, 'a'), signal)).rejects.toThrow(/ledger/);
  });
});
