import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

// Commands load their files by `require`, which reads TypeScript under ts-node only.
const script = `console.log(JSON.stringify(require('./scripts/reference').referencePages()))`;

it('is what `npm run reference` writes', () => {
  const { stdout, stderr } = spawnSync('node', ['-r', 'ts-node/register/transpile-only', '-e', script], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  const pages: Record<string, string> = JSON.parse(stdout);
  for (const [path, text] of Object.entries(pages)) expect(readFileSync(path, 'utf8'), path).toBe(text);
});
