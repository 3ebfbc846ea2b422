import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as consilium from '../../src';

const guide = join('docs', 'guide');
const pages = [...readdirSync(guide).map((name) => join(guide, name)), 'README.md'];

interface Block {
  readonly language: string;
  readonly code: string;
  /** The file that the comment before it names. */
  readonly file: string | undefined;
}

function blocksOf(text: string): readonly Block[] {
  const fence = /(?:<!-- (\S+) -->\n\n)?^```(\w*)\n([\s\S]*?)^```$/gm;
  return [...text.matchAll(fence)].map(([, file, language, code]) => ({ file, language: language!, code: code! }));
}

/** Each on its own: a page that shows half a method shows its own indentation. */
const plain = (text: string) => text.replaceAll("'../../src'", "'consilium'").replace(/^\s+/gm, '');

describe.each(pages)('%s', (page) => {
  const text = readFileSync(page, 'utf8');

  it('shows no code but that of files that run in CI, and what it calls a sketch', () => {
    const code = blocksOf(text).filter(({ language, file }) => language !== '' && file !== 'sketch');
    expect(code.filter(({ file }) => file === undefined).map(({ code }) => code)).toEqual([]);
    for (const { file, code: shown } of code) expect(plain(readFileSync(file!, 'utf8'))).toContain(plain(shown));
  });

  it('links to files that are there', () => {
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)(#[^)]*)?\)/g)].map(([, link]) => link!);
    expect(links.filter((link) => !existsSync(join(dirname(page), link)))).toEqual([]);
  });

  it('names commands, scripts and exports that are there', () => {
    const scripts = [...text.matchAll(/npx ts-node (\S+\.ts)/g)].map(([, script]) => script!);
    const jobs = [...text.matchAll(/npx consilium (?:simulate|job validate|doctor) (\S+\/\S+\.yaml)/g)].map(
      ([, job]) => job!,
    );
    expect([...scripts, ...jobs].filter((file) => !existsSync(file))).toEqual([]);
    const names = [...text.matchAll(/`((?:define|open)[A-Z]\w+)`/g)].map(([, name]) => name!);
    expect(names.filter((name) => !(name in consilium))).toEqual([]);
  });
});

describe('coming-from-nvflare.md', () => {
  it('calls no recipe ours that is not exported', () => {
    const rows = readFileSync(join(guide, 'coming-from-nvflare.md'), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('|'));
    const ours = rows.flatMap((row) =>
      [...row.split('|')[2]!.matchAll(/`(\w+(?:Recipe|Env))\b/g)].map(([, name]) => name!),
    );
    expect(ours.length).toBeGreaterThan(2);
    expect(ours.filter((name) => !(name in consilium))).toEqual([]);
  });
});
