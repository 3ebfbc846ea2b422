import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { caseImages, cost, finalEntry, reportData, round } from '../../../test/support/report-data';
import { renderReport, writeReport } from './write-report';

/** What a reader sees: the page without tags, drawings and styles. */
function textOf(page: string): string {
  const body = page.slice(page.indexOf('<body>'));
  return body
    .replace(/<svg[\s\S]*?<\/svg>/g, ' ')
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ');
}

test('shows the key facts of the run', () => {
  const text = textOf(renderReport(reportData()));
  for (const fact of [
    'brats18_2',
    'Finished',
    'Best Dice 0.600 model after 1 round',
    'Final Dice 0.500 WT 0.500 · TC 0.250 · ET –',
    'Sites 2 site-1, site-2',
    'Duration 2 min 11 s',
    'Seed 7',
    'ab'.repeat(32),
    'consilium 0.1.0',
    '4 702 227',
  ]) {
    expect(text).toContain(fact);
  }
});

test('draws curves of the scores, of the sites, and says when these lie on one another', () => {
  const page = renderReport(reportData());
  expect(page.match(/<svg class="chart"/g)).toHaveLength(4);
  expect(page).toContain('best 0.600 at round 1');
  expect(textOf(page)).toContain('Dice, all Whole tumour (WT) Tumour core (TC) Enhancing tumour (ET) best: 0.600');
  expect(textOf(page)).toContain('their curves lie on one another');
});

test('lists rounds and sites, and who was missing why', () => {
  const late = { ...round(1, 0.6), sites: [round(1, 0.6).sites[0]!, { name: 'site-2', status: 'late' as const }] };
  const text = textOf(renderReport(reportData({ entries: [round(0, 0.1), late, finalEntry(2, 0.5)] })));
  expect(text).toContain('1 ★ 0.600 0.600 0.300 – 0.4000 1 of 2 10 s');
  expect(text).toContain('finished model 0.500');
  expect(text).toContain('site-1 2 of 2 rounds 12');
  expect(text).toContain('site-2 1 of 2 rounds (round 1: late) 6');
});

test('shows every case with its truth and prediction over each modality', () => {
  const page = renderReport(reportData());
  expect(page.match(/<image /g)).toHaveLength(4);
  expect(page.match(/<use class="overlay"/g)).toHaveLength(8);
  expect(page.match(/href="data:image\/png;base64,/g)).toHaveLength(4);
  expect(textOf(page)).toContain('Case_1 slice 3 of 4 · WT 0.900 · ET –');
});

test('says that data are synthetic only when they are', () => {
  expect(renderReport(reportData())).not.toContain('Synthetic data');
  expect(renderReport(reportData({ syntheticData: true }))).toContain('Synthetic data');
});

test('without a filter it says that updates left in the clear', () => {
  const text = textOf(renderReport(reportData()));
  expect(text).toContain('No privacy filter was on: the sites sent their updates in the clear.');
  expect(text).not.toContain('ε of the call');
});

test('lists what each filter call cost and how much that is', () => {
  const entries = [round(0, 0.1, cost(4_232_005)), round(1, 0.6, cost(4_232_005)), finalEntry(2, 0.5)];
  const text = textOf(renderReport(reportData({ entries })));
  expect(text).toContain('No meaningful privacy');
  expect(text).toContain('ε = 4.23 million per round, 8.46 million for the run');
  expect(text).toContain('1 site-2 svt 4.23 million 8.46 million 0 ε query 0.5 · total 4 702 227');
});

test('shortens a ledger of thousands of calls', () => {
  const entries = Array.from({ length: 300 }, (_, i) => round(i, 0.1, cost(0.01)));
  const page = renderReport(reportData({ entries }));
  expect(textOf(page)).toContain('200 more calls, in privacy/ledger.jsonl');
});

test('says why a run ended early, and how far it came', () => {
  const text = textOf(renderReport(reportData({ outcome: 'failed', error: 'The disk is full.', plannedRounds: 9 })));
  expect(text).toContain('Failed');
  expect(text).toContain('Why it ended early The disk is full.');
  expect(text).toContain('Rounds 2 of 9 planned');
});

test('a run without a single round and cases still gives a page', () => {
  const text = textOf(renderReport(reportData({ entries: [], cases: [], outcome: 'aborted' })));
  expect(text).toContain('Stopped');
  expect(text).toContain('Best Dice –');
});

test('escapes all text', () => {
  const evil = `<img src=x onerror=alert(1)>"'&`;
  const page = renderReport(
    reportData({
      job: evil,
      description: evil,
      error: evil,
      outcome: 'failed',
      sites: [evil],
      versions: { [evil]: evil },
      modelSha256: evil,
      entries: [
        {
          ...round(0, 0.1),
          sites: [
            { name: evil, status: 'ok', privacy: [cost(1, { mechanism: evil, unit: evil, details: { [evil]: 1 } })] },
          ],
        },
        { ...round(1, 0.1), sites: [{ name: evil, status: 'failed', reason: evil }] },
      ],
      cases: [
        caseImages({
          name: evil,
          scores: { [evil]: 1 },
          modalities: caseImages().modalities.map(({ data }) => ({ name: evil, data })),
        }),
      ],
      labels: [{ value: 1, name: evil, color: evil }],
      metric: { key: 'val_dice', name: evil, parts: [{ key: 'val_dice_wt', name: evil, title: evil }] },
    }),
  );
  expect(page).not.toContain('<img');
  expect(page).not.toMatch(/alert\(1\)[>"']/);
  expect(page).toContain('&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;');
});

test('loads nothing and runs nothing', () => {
  const page = renderReport(reportData({ entries: [round(0, 0.1, cost(5))], syntheticData: true }));
  expect(page.replace(/data:image\/png;base64,[\w+/=]+/g, '')).not.toMatch(
    /https?:|\/\/[a-z]|<script|<link|@import|\son\w+=|url\(/i,
  );
  expect(page).toContain(`content="default-src 'none'; img-src data:; style-src 'unsafe-inline'"`);
});

test('equal data give equal text', () => {
  expect(renderReport(reportData())).toBe(renderReport(reportData()));
});

test('writes the page into a file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'report-'));
  try {
    await writeReport(join(folder, 'report.html'), reportData());
    expect(await readFile(join(folder, 'report.html'), 'utf8')).toBe(renderReport(reportData()));
  } finally {
    await rm(folder, { recursive: true });
  }
});
