import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { sha256Of } from '../../util/sha256';
import { builtInKinds, parsePolicy, policySpec, readPolicy } from './policy';
import { readSiteSettings } from './site-settings';

const folder = mkdtempSync(join(tmpdir(), 'consilium-policy-'));
afterAll(() => rmSync(folder, { recursive: true }));

const parse = (text: string) => parsePolicy(Buffer.from(text), join(folder, 'policy.yaml'));
const problemOf = (text: string): string => {
  try {
    parse(text);
  } catch (error) {
    return (error as Error).message;
  }
  return expect.unreachable('the policy was taken');
};

describe('a policy', () => {
  it('may be empty, or hold nothing but comments: then it is the strictest about code', () => {
    for (const text of ['', '# nothing\n']) {
      expect(parse(text).policy).toEqual({
        version: 1,
        submitters: {},
        code: 'none',
        modules: [],
        filters: [],
        limits: { syntheticMb: 4096 },
      });
    }
  });

  it('of the guide is one, and so are the settings of its site; it approves the script of an example', async () => {
    const { policy } = await readPolicy('examples/federation/policy.yaml');
    expect(policy.code).toMatchObject({ files: [sha256Of(readFileSync('examples/train-script/client.ts'))] });
    expect(await readSiteSettings('examples/federation/site.yaml')).toMatchObject({ slots: 2, metricsPort: 9465 });
  });

  it('knows every built-in kind', () => {
    expect(builtInKinds.workflows).toContain('fed-avg');
    expect(builtInKinds.trainers).toEqual(
      expect.arrayContaining(['segmentation', 'translation', 'script', 'command', 'statistics']),
    );
    expect(builtInKinds.models).toEqual(expect.arrayContaining(['segresnet', 'tensors', 'checkpoint']));
    expect(builtInKinds.data).toEqual([
      'none',
      'brats18',
      'brats18-phantom',
      'csv',
      'slices',
      'multi-contrast-phantom',
    ]);
    expect(policySpec.parse(builtInKinds)).toMatchObject(builtInKinds);
  });

  it('says where each mistake is, and what was meant', () => {
    const message = problemOf('trainer: [segmentation]\nworkflows: [fed-agv]\ncode: all\nlimits: { rounds: 0 }\n');
    expect(message).toMatch(/policy\.yaml:1:1: trainer: unknown key\. Did you mean 'trainers'/);
    expect(message).toMatch(/policy\.yaml:2:13: workflows\.0: .*fed-avg/);
    expect(message).toMatch(/policy\.yaml:3:7: code: /);
    expect(message).toMatch(/policy\.yaml:4:19: limits\.rounds: /);
  });

  it.each([
    ['a hash that is none', 'code: { files: [abc] }', /code\.files\.0/],
    ['a filter that protects nothing by its options', 'filters: [{ filter: { kind: svt, fraction: 2 } }]', /fraction/],
    ['a filter nobody knows', 'filters: [{ filter: { kind: magic } }]', /magic/],
    ['a payload nobody sends', 'payloads: [weight]', /payloads\.0/],
    ['keys that reach prototypes', '__proto__: { code: any }', /__proto__/],
  ])('refuses %s', (_, text, expected) => {
    expect(problemOf(text)).toMatch(expected);
  });

  it('is bounded: deep nesting is refused before it is read', () => {
    expect(problemOf(`workflows: ${'['.repeat(5000)}`)).toMatch(/deep|nest|level/i);
  });

  it("may use filters of this site's own, from files beside it", async () => {
    const module = join(__dirname, '..', '..', '..', 'test', 'support', 'parts', 'marks.ts');
    const file = join(folder, 'own.yaml');
    writeFileSync(file, `modules: [${module}]\nfilters:\n  - filter: { kind: test/block }\n`);
    const { policy, sha256 } = await readPolicy(file);
    expect(policy.filters).toEqual([{ filter: { kind: 'test/block' } }]);
    expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    writeFileSync(file, 'modules: [./gone.cjs]\n');
    await expect(readPolicy(file)).rejects.toThrow(/gone\.cjs/);
  });
});
