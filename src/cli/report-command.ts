import { Command } from 'commander';
import type { FinishedRounds } from '../runtime/read-run';
import { readRun } from '../runtime/read-run';
import { counted } from '../util/counted';
import { aligned } from './aligned';
import { outColours } from './colours';
import { printJson } from './print-json';

interface ReportFlags {
  readonly json?: boolean;
}

const colours = {
  finished: outColours.green,
  running: outColours.cyan,
  failed: outColours.red,
  aborted: outColours.yellow,
} as const;

/** `consilium report <run folder>`: where a run stands, round by round. */
export function reportCommand(): Command {
  return new Command('report')
    .argument('<run folder>', '<workspace>/<job name>')
    .option(
      '--json',
      'one JSON object on standard output: run, outcome, rounds with metrics and sites, path of the report',
    )
    .exitOverride()
    .addHelpText('after', '\nExample:\n  npx consilium report consilium-workspace/brats18_4')
    .action(async (folder: string, { json }: ReportFlags) => {
      const run = await readRun(folder);
      if (json) printJson(asJson(run));
      else process.stdout.write(describe(run));
    });
}

function asJson({ lines, report, error, ...run }: FinishedRounds) {
  const rounds = lines.map(({ round, final, metrics, sites, seconds }) => ({
    round,
    final: final === true,
    metrics,
    seconds,
    sites: sites.map(({ name, status, reason = null }) => ({ name, status, reason })),
  }));
  return { ...run, error: error ?? null, rounds, report: report ?? null };
}

function describe(run: FinishedRounds): string {
  const { lines, keyMetric, sites, error, report } = run;
  const head = `${outColours.bold(run.run)}  ${colours[run.outcome](run.outcome)}  ${counted(sites.length, 'site')}, seed ${run.seed}${run.synthetic ? ', SYNTHETIC data' : ''}`;
  const rows = [['round', keyMetric, 'sites', 'seconds'], ...lines.map((line) => rowOf(line, keyMetric))];
  const table = aligned(rows, 0);
  return `${[
    head,
    ...(error === undefined ? [] : [outColours.red(error)]),
    '',
    ...(lines.length === 0 ? ['No round is finished yet.'] : table),
    ...missing(run),
    '',
    report === undefined ? 'The report is written when the run ends.' : `report  ${report}`,
  ].join('\n')}\n`;
}

function rowOf(
  { round, final, metrics, sites, seconds }: FinishedRounds['lines'][number],
  keyMetric: string,
): string[] {
  const value = metrics[keyMetric];
  const answered = sites.filter(({ status }) => status === 'ok').length;
  return [
    final ? 'end' : String(round),
    typeof value === 'number' ? value.toPrecision(4) : '–',
    `${answered}/${sites.length}`,
    seconds.toFixed(1),
  ];
}

/** Who had no part in which round, and why. */
function missing({ lines }: FinishedRounds): string[] {
  const all = lines.flatMap(({ round, sites }) =>
    sites
      .filter(({ status }) => status !== 'ok')
      .map(
        ({ name, status, reason }) => `round ${round}: ${name} ${status}${reason === undefined ? '' : ` (${reason})`}`,
      ),
  );
  return all.length === 0
    ? []
    : ['', ...all.slice(0, 20), ...(all.length > 20 ? [`… and ${all.length - 20} more`] : [])];
}
