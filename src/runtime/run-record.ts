/**
 * Everything a run leaves for people: job and meta files, metrics, TensorBoard events, the privacy ledger, models, report.
 * All of it follows from the checkpoint, so a continued run writes it anew and no line is ever there twice.
 *
 * @module
 */
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { errorToData } from '../errors';
import type { Outcome, RunEvent, RunResult } from '../jobs/environment';
import type { JobSpec } from '../jobs/job-spec';
import { jobToYaml } from '../jobs/job-yaml';
import { workflowTraits } from '../jobs/workflow-spec';
import type { ReportData } from '../tracking/report/report-data';
import { writeReport } from '../tracking/report/write-report';
import { openRoundMetrics, type RoundMetrics } from '../tracking/round-metrics';
import { openRunLog, type RunLog } from '../tracking/run-log';
import { writeFileAtomic } from '../util/atomic-file';
import { toJson } from '../util/exact-json';
import { sha256Of } from '../util/sha256';
import type { Checkpoint } from './checkpoint';
import type { Tracker } from './define-part';
import { isSynthetic } from './job-data';
import { writeModelFiles } from './model-files';
import { createTrackers } from './parts';
import { openPrivacyLedger, type PrivacyLedgerFile } from './privacy-ledger-file';
import type { RoundLine } from './round-line';
import { writeResults } from './round-results';
import type { RunFolder } from './run-folder';
import { type RunReportOptions, runReport } from './run-report';
import { runResult } from './run-result';
import { openSiteEvents, type SiteEvents } from './site-events';
import type { Picture } from './slot/slot-messages';
import { versions } from './versions';

export interface RunRecordOptions {
  readonly job: JobSpec;
  readonly hash: string;
  /** What relative paths of the job start from. */
  readonly jobFolder: string;
  readonly folder: RunFolder;
  /** Names of the validation cases; absent at a server, which never sees cases. */
  readonly selectionCases?: readonly string[];
  /** Absent at a server, which trains nothing. */
  readonly slots?: number;
  readonly sessionThreads?: number;
  /** Whether `${NAME}` in the job's data is for its sites to fill in. @default false */
  readonly forSites?: boolean;
}

/** What whoever runs a job does with the record of its run. */
export type RunRecorder = Pick<RunRecord, 'begin' | 'note' | 'addLine' | 'finish' | 'endedEarly' | 'suspend'>;

export class RunRecord {
  readonly #options: RunRecordOptions;
  readonly #log: RunLog;
  readonly #siteLogs: ReadonlyMap<string, RunLog>;
  readonly #started = new Date();
  #metrics: RoundMetrics | undefined;
  #events: SiteEvents | undefined;
  #ledger: PrivacyLedgerFile | undefined;
  #last: Checkpoint | undefined;
  #trackers: readonly Tracker[] = [];
  #told: Promise<void> = Promise.resolve();

  constructor(options: RunRecordOptions) {
    const { job, folder } = options;
    const clock = { clock: Date.now };
    this.#options = options;
    this.#log = openRunLog(folder.server, clock).with({ run: job.name });
    this.#siteLogs = new Map(
      job.sites.map((site) => [site, openRunLog(folder.site(site).root, clock).with({ run: job.name, site })]),
    );
  }

  /** Writes what is known before the first round, and again what the earlier rounds of a continued run left. */
  async begin(start: Checkpoint): Promise<void> {
    const { job, folder } = this.#options;
    this.#trackers = createTrackers(job, folder.job);
    const history = start.history.lines();
    const { keyMetric, keyMetricMode } = workflowTraits(job.workflow);
    this.#last = start;
    this.#log.write('info', 'run started', { finished_rounds: start.round });
    if (isSynthetic(job)) this.#log.write('warn', 'The data are SYNTHETIC.');
    await writeFileAtomic(folder.jobFile, jobToYaml(job, { forSites: this.#options.forSites ?? false }));
    await this.#writeMeta('running');
    this.#metrics = await openRoundMetrics(folder.metrics, { keyMetric, keyMetricMode, history });
    await writeResults(folder.results, history);
    this.#ledger = await openPrivacyLedger(folder.ledger, history);
    this.#events = await openSiteEvents(folder.events, job.sites, history);
  }

  /** Notes an event of the run in the logs. */
  note(event: RunEvent): void {
    this.#tell(event);
    if (event.kind === 'log') {
      const log = event.site === undefined ? this.#log : this.#siteLogs.get(event.site);
      log?.write(event.level, event.message);
    } else if (event.kind === 'round-finished') {
      const { round, final, metrics, seconds } = event;
      this.#log.write('info', final ? 'final evaluation' : 'round finished', { round, seconds, ...metrics });
    }
  }

  /** Trackers hear of events one after the other; what one of them throws ends the run at its next round. */
  #tell(event: RunEvent): void {
    if (this.#trackers.length === 0) return;
    this.#told = this.#told.then(async () => {
      for (const tracker of this.#trackers) await tracker.event(event);
    });
    this.#told.catch(() => {}); // Thrown where the round is added.
  }

  /** Adds a finished round; its checkpoint is on disk already. */
  async addLine(line: RoundLine, checkpoint: Checkpoint): Promise<void> {
    this.#last = checkpoint;
    const { folder } = this.#options;
    const results = writeResults(folder.results, [line]);
    await Promise.all([
      this.#metrics?.add(line),
      this.#ledger?.add(line),
      this.#events?.add(line),
      results,
      this.#told,
    ]);
    if (line.privacy) this.#log.write('info', `privacy of an update: ${line.privacy.verdict}`, { round: line.round });
    for (const { name, status, reason, metrics, steps } of line.sites) {
      const message = reason === undefined ? `round ${status}` : `round ${status}: ${reason}`;
      this.#siteLogs.get(name)?.write('info', message, { round: line.round, ...(steps && { steps }), ...metrics });
    }
  }

  /** Writes models and report of a finished run. */
  async finish(last: Checkpoint, pictures: readonly Picture[]): Promise<RunResult> {
    const { folder } = this.#options;
    const models = await this.#writeModels(last);
    const finalModelSha256 = sha256Of(await readFile(models.final_safetensors!));
    const seconds = (Date.now() - this.#started.getTime()) / 1000;
    const report = { outcome: 'finished', pictures, finalModelSha256 } as const;
    await writeReport(folder.report, this.#report(last, report));
    await this.#metrics?.flush();
    await this.#writeMeta('finished', { final_model_sha256: finalModelSha256 });
    await this.#close('finished');
    return runResult({
      ...{ folder, models, finalModelSha256, seconds, history: last.history.lines(), rounds: last.round },
      bestRound: last.best?.round ?? last.round,
    });
  }

  /** Notes why a run ended early, and exports the models of its finished rounds. */
  async endedEarly(error: unknown, outcome: Outcome): Promise<void> {
    const { message } = errorToData(error);
    this.#log.write('error', message);
    await this.#metrics?.flush();
    await this.#writeMeta(outcome, { error: message });
    if (this.#last && this.#last.round > 0) {
      await this.#writeModels(this.#last);
      const ended = { outcome: outcome === 'aborted' ? 'aborted' : 'failed', error: message } as const;
      await writeReport(this.#options.folder.report, this.#report(this.#last, ended));
    }
    await this.#close(outcome);
  }

  /** Lets go of a run that goes on in a later process. */
  async suspend(): Promise<void> {
    this.#log.write('info', 'run suspended');
    await this.#metrics?.flush();
    await this.#closeAll();
  }

  #report(
    last: Checkpoint,
    how: Pick<RunReportOptions, 'outcome' | 'error' | 'finalModelSha256'> & { pictures?: readonly Picture[] },
  ): ReportData {
    const seconds = (Date.now() - this.#started.getTime()) / 1000;
    return runReport({ pictures: [], ...how, job: this.#options.job, last, seconds, started: this.#started });
  }

  async #writeModels({ model, best }: Checkpoint): Promise<Record<string, string>> {
    const { job, folder, selectionCases } = this.#options;
    if (selectionCases) {
      await writeFileAtomic(join(folder.models, 'selection_cases.json'), `${JSON.stringify(selectionCases)}\n`);
    }
    const final = await writeModelFiles(folder.models, 'FL_global_model', job.model, model);
    const top = await writeModelFiles(folder.models, 'best_FL_global_model', job.model, (await best?.model()) ?? model);
    const named = (prefix: string, files: object) =>
      Object.fromEntries(Object.entries(files).map(([suffix, file]) => [`${prefix}_${suffix}`, String(file)]));
    return { ...named('final', final), ...named('best', top) };
  }

  async #writeMeta(outcome: 'running' | Outcome, more: Readonly<Record<string, unknown>> = {}): Promise<void> {
    const { job, hash, jobFolder, folder, slots, sessionThreads } = this.#options;
    const meta = {
      run: job.name,
      job_hash: hash,
      job_folder: jobFolder,
      seed: job.seed,
      outcome,
      sites: job.sites,
      finished_rounds: this.#last?.round ?? 0,
      started: this.#started.toISOString(),
      ended: outcome === 'running' ? null : new Date().toISOString(),
      ...(slots !== undefined && { slots, session_threads: sessionThreads }),
      cores: availableParallelism(),
      versions: versions(),
      synthetic_data: isSynthetic(job),
      privacy: this.#privacy(),
      ...more,
    };
    await writeFileAtomic(folder.metaFile, `${toJson(meta, 2)}\n`);
  }

  /** What the filters have cost the site that they cost most; `null` when none acted. */
  #privacy(): object | null {
    const spent = this.#last?.history.privacy;
    if (!spent) return null;
    const { mechanism, differentiallyPrivate, epsilon, epsilonTotal, verdict } = spent;
    return {
      mechanism,
      differentially_private: differentiallyPrivate,
      epsilon_per_round: epsilon,
      epsilon_total: epsilonTotal,
      verdict_per_round: verdict,
    };
  }

  /** Closes everything, whatever a tracker throws; that is thrown afterwards. */
  async #close(outcome: Outcome): Promise<void> {
    this.#tell({ kind: 'done', outcome });
    await this.#closeAll();
  }

  async #closeAll(): Promise<void> {
    const told = await Promise.allSettled([this.#told]);
    const closed = await Promise.allSettled(this.#trackers.map(async (tracker) => tracker.close?.()));
    await Promise.all([this.#log, ...this.#siteLogs.values()].map((log) => log.flush()));
    for (const one of [...told, ...closed]) if (one.status === 'rejected') throw one.reason;
  }
}
