import type { ExportedJob } from '../jobs/export-job';
import { shellWord } from './shell-word';

/** What to do with an exported job. */
export function exportedLine({ job, own }: ExportedJob): string {
  const copied = own.length === 0 ? '' : `Copied beside it: ${own.join(', ')}; what these import is not copied.\n`;
  return `The job is in ${job}. Run it with: npx consilium simulate ${shellWord(job)}\n${copied}`;
}
