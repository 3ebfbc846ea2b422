/**
 * The report of a run: one HTML file that opens offline, with pictures and plots inside and no script.
 *
 * @module
 */
import { writeFileAtomic } from '../../util/atomic-file';
import { casesSection } from './cases-section';
import { crossSiteSection } from './cross-site-section';
import { curvesSection } from './curves-section';
import { formatTime } from './format';
import { factsSection, headerSection } from './header-section';
import { html } from './html';
import { page } from './page';
import { privacySection } from './privacy-section';
import type { ReportData } from './report-data';
import { slicesSection } from './slices-section';
import { statisticsSection } from './statistics-section';
import { roundsSection, sitesSection } from './tables-section';

/** Writes the report as a whole. @throws WorkspaceError; ShapeError when an image of a case has another size than it says. */
export async function writeReport(file: string, data: ReportData): Promise<void> {
  await writeFileAtomic(file, renderReport(data));
}

/**
 * The report as HTML. Equal data give equal text. The page may load nothing and run nothing: its own policy says so.
 * @throws ShapeError when an image of a case has another size than its shape says.
 */
export function renderReport(data: ReportData): string {
  const statistics = statisticsSection(data);
  const trained = data.entries.length > 0 && !statistics;
  return page(
    `${data.job} · federated learning report`,
    html`${headerSection(data)}
${statistics}
${trained && curvesSection(data)}
${crossSiteSection(data)}
${casesSection(data)}
${slicesSection(data)}
${privacySection(data)}
${trained && roundsSection(data)}
${trained && sitesSection(data)}
${factsSection(data)}
<footer>Written by Consilium for the run started ${formatTime(data.startedAt)}. The numbers are also in metrics/round_metrics.jsonl and privacy/ledger.jsonl beside this file.</footer>`,
  );
}
