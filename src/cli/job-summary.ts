/**
 * A job in words.
 *
 * @module
 */
import { type JobSpec, jobHash } from '../jobs/job-spec';

type Part = Readonly<Record<string, unknown>>;

/** Widest line, characters. */
const width = 100;

/** Title, hash, then one paragraph for each part: its kind and its options. Ends with a line feed. */
export function jobSummary(job: JobSpec): string {
  const { version: _, name, sites, filters, ...parts } = job;
  const rows: (readonly [title: string, text: string])[] = [
    ['sha256', jobHash(job)],
    ['sites', `${sites.length}: ${sites.slice(0, 8).join(', ')}${sites.length > 8 ? ', …' : ''}`],
    ...Object.entries(parts)
      .filter(([, part]) => !isEmpty(part))
      .map(([title, part]) => [title, inWords(part)] as const),
    ['filters', filters.length === 0 ? 'none: updates leave the sites as they are' : 'in order'],
    ...filters.map((placement, i) => [`  ${i + 1}.`, placementInWords(placement)] as const),
  ];
  const indent = Math.max(...rows.map(([title]) => title.length)) + 4;
  const lines = rows.map(([title, text]) => `  ${title.padEnd(indent - 2)}${wrapped(text, indent)}\n`);
  return `${name}\n${lines.join('')}`;
}

function placementInWords({ at, tasks, sites, filter }: Part): string {
  const where = [
    `at ${at}`,
    tasks ? `on ${list(tasks)}` : 'on all tasks',
    sites ? `of ${list(sites)}` : 'of all sites',
  ];
  return `${inWords(filter)}; ${where.join(', ')}`;
}

function list(value: unknown): string {
  return Array.isArray(value) ? value.join(', ') : String(value);
}

/** The kind, then `option value` for each option. */
function inWords(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(inWords).join(' ');
  if (typeof value !== 'object' || value === null) return String(value);
  const { kind, ...options } = value as Part;
  const words = Object.entries(options).map(([key, option]) => `${key} ${inWords(option)}`);
  const all = words.join(', ');
  if (kind === undefined) return all;
  return all === '' ? String(kind) : `${kind}: ${all}`;
}

function isEmpty(part: unknown): boolean {
  return typeof part === 'object' && part !== null && Object.keys(part).length === 0;
}

/** Broken after commas, further lines indented. */
function wrapped(text: string, indent: number): string {
  const lines = [''];
  for (const word of text.split(/(?<=[,;:]) /)) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && indent + line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.join(`\n${' '.repeat(indent)}`);
}
