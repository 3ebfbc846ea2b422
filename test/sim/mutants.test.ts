import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { applied, huntBug, makeCopy } from './hunt-bug';
import { plantedBugs } from './planted-bugs';

const root = join(__dirname, '../..');

describe('bugs planted in the product', () => {
  it.each(plantedBugs.map((bug) => [bug.name, bug.edits] as const))('%s: can be planted', (_, edits) => {
    const sources = new Map<string, string>();
    for (const edit of edits) {
      const source = sources.get(edit.file) ?? readFileSync(join(root, edit.file), 'utf8');
      sources.set(edit.file, applied(source, edit));
    }
  });

  const quick = [
    'a round closes without its quorum',
    'updates are added in the order of arrival',
    'the message of an error leaves its site',
  ];
  it.each(quick)('%s: is found by the simulation', async (name) => {
    const copy = await makeCopy(root, tmpdir());
    try {
      const found = await huntBug(copy, plantedBugs.find((bug) => bug.name === name)!, 300);
      expect(found?.violation).toMatch(/^(S|P)\d+/);
    } finally {
      await copy.remove();
    }
  });
});
