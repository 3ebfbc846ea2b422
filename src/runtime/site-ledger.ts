/**
 * A site's own account of what its privacy filters have cost: one line for each call, each with a checksum that also covers
 * the lines before it. A second file notes how many lines there are, so that lines that go missing at the end are missed too.
 *
 * A ledger that is not whole is refused and never mended: a lost line would be privacy that was spent and not booked.
 *
 * @module
 */
import { join } from 'node:path';
import { DataError, type WorkspaceError, withSummary } from '../errors';
import type { SiteLedger } from '../executors/site';
import { decodeLedgerEntry, encodeLedgerEntry, type LedgerEntry, totalSpent } from '../privacy/ledger';
import { appendLine, codeOf, workspaceError, writeFileAtomic } from '../util/atomic-file';
import { checkedJson, withCheck } from '../util/checked-json';
import type { Disk } from '../util/disk';
import { limit } from '../util/limit';
import { nodeDisk } from '../util/node-disk';

/** A ledger as a file, with all that was booked. */
export interface LedgerFile {
  readonly entries: readonly LedgerEntry[];
  /** On disk when it resolves. */
  book(entry: LedgerEntry): Promise<void>;
}

/**
 * The site's ledger of one job, in its folder, continued where an earlier process left it.
 *
 * @throws DataError when it is damaged or lines are missing.
 */
export async function siteLedger(folder: string, site: string, disk: Disk = nodeDisk): Promise<SiteLedger> {
  const { entries, book } = await openLedger(folder, disk);
  return {
    spent: (filter) => totalSpent(entries, site, filter).epsilon,
    booked: (round) => entries.filter((entry) => entry.round === round).map(({ cost }) => cost),
    charge: ({ round, kind: task }, filter, cost) => book({ site, round, task, filter, cost }),
  };
}

/** The ledger in a folder. @throws DataError when it is damaged or lines are missing. */
export async function openLedger(folder: string, disk: Disk = nodeDisk): Promise<LedgerFile> {
  const { file, countFile } = filesIn(folder);
  const entries: LedgerEntry[] = [];
  let check = '';
  /** After a failed write nothing is known of the end of the file. */
  let unsure = true;
  await read();
  const oneByOne = limit(1); // Each line vouches for the one before.
  return { entries, book: (entry) => oneByOne(() => book(entry)) };

  async function read(): Promise<void> {
    const { text, lines } = await readWhole(folder, disk);
    // A killed process may not have flushed the last line, or the name of the file; and what is left of a line goes.
    if (text !== '') await writeFileAtomic(file, lines.map((line) => `${line.text}\n`).join(''), { disk });
    entries.length = 0;
    for (const { entry } of lines) entries.push(entry);
    check = lines.at(-1)?.check ?? '';
    unsure = false;
  }

  async function book(entry: LedgerEntry): Promise<void> {
    if (unsure) await read();
    unsure = true;
    const line = withCheck(encodeLedgerEntry(entry), check);
    await appendLine(file, line, { durable: true, disk });
    unsure = false;
    check = checkIn(line);
    entries.push(entry);
    // Not flushed: after a power cut it may be older than the ledger, which is no harm.
    const count = withCheck(JSON.stringify({ lines: entries.length, last: check }));
    await writeFileAtomic(countFile, `${count}\n`, { durable: false, disk });
  }
}

/**
 * Whether the ledger in a folder can be used. It stays as it is, and may be in use.
 *
 * @returns how many charges were booked, or `undefined` when there is no ledger.
 * @throws DataError when it is damaged or lines are missing.
 */
export async function checkLedger(
  folder: string,
  disk: Disk = nodeDisk,
): Promise<{ readonly entries: number } | undefined> {
  const { text, lines } = await readWhole(folder, disk);
  return text === '' ? undefined : { entries: lines.length };
}

function filesIn(folder: string) {
  const privacy = join(folder, 'privacy');
  return { file: join(privacy, 'ledger.jsonl'), countFile: join(privacy, 'ledger.count.json') };
}

/** The count first: whoever books meanwhile writes it after the line, so that no line seems to be missing. */
async function readWhole(folder: string, disk: Disk) {
  const { file, countFile } = filesIn(folder);
  const count = await readText(countFile, disk);
  const text = await readText(file, disk);
  const lines = readLines(text, file);
  requireAll(lines, count, file);
  return { text, lines };
}

interface LedgerLine {
  readonly text: string;
  readonly entry: LedgerEntry;
  readonly check: string;
}

/** All lines. What a crash left of one that it cut off, and that nobody was told of, is no line. */
function readLines(text: string, file: string): LedgerLine[] {
  const lines: LedgerLine[] = [];
  const texts = text.split('\n').slice(0, -1);
  for (const [i, line] of texts.entries()) {
    const checked = checkedJson(line, lines.at(-1)?.check);
    if (checked) {
      lines.push({ text: line, entry: decodeLedgerEntry(checked.json), check: checked.check });
      continue;
    }
    const isLast = i === texts.length - 1;
    // Sectors of a line that a power cut took are zeros.
    if (!isLast || !line.includes('\0')) throw damaged(file, `line ${i + 1} is not as it was written`);
  }
  return lines;
}

/** @param count what was noted of the lines; nothing where a power cut took the note */
function requireAll(lines: readonly LedgerLine[], count: string, file: string): void {
  const checked = checkedJson(count.trimEnd());
  if (!checked) return;
  const noted = JSON.parse(checked.json) as { readonly lines: number; readonly last: string };
  if (lines.length < noted.lines) {
    throw damaged(file, `it has ${lines.length} whole lines, and ${noted.lines} were written`);
  }
  if (lines[noted.lines - 1]!.check !== noted.last) throw damaged(file, `line ${noted.lines} is another one`);
}

function checkIn(line: string): string {
  return (JSON.parse(line) as { readonly check: string }).check;
}

async function readText(file: string, disk: Disk): Promise<string> {
  const bytes = await disk.readFile(file).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return Buffer.alloc(0);
    throw unreadable(workspaceError('read', file, error));
  });
  return bytes.toString('utf8');
}

function damaged(file: string, problem: string): Error {
  return unreadable(
    new DataError(`What privacy was spent is not known: the ledger '${file}' cannot be used, ${problem}.`, {
      file,
      hint: 'Restore the ledger from a copy; until then this site does not train. It is never mended by itself: a lost line would be unbooked privacy.',
    }),
  );
}

/** Who submitted a job is told what is wrong, and not which file. */
function unreadable(error: DataError | WorkspaceError): Error {
  return withSummary(
    error,
    `its account of privacy cannot be read (${error.tag}), so it trains nothing until its operator has restored it`,
  );
}
