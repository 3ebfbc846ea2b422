/**
 * A policy's word on a job, before anything of the job is loaded. What is judged is what the job names and what came with it,
 * signed; whatever cannot be told from that is refused.
 *
 * @module
 */
import { posix } from 'node:path';
import { oneLine } from '../../util/one-line';
import type { BundleEntry, JobFacts, Submitter } from '../provision/bundle';
import { jobPath } from '../provision/bundle';
import type { PreparedJob } from './job-process-messages';
import { builtInKinds, type KindRule, type Policy } from './policy';
import { blockedPayloads } from './policy-filters';

/** What came of a job, as its bundle says it. */
export interface OfferedJob {
  readonly facts: JobFacts;
  readonly submitter: Submitter;
  /** Files that came with the job to this site. */
  readonly files: readonly BundleEntry[];
}

/** One rule that a job does not keep. */
export interface Refusal {
  /** Path of the rule in the policy. */
  readonly rule: string;
  /** For whoever submitted the job, one line: names no path and no value of this site. */
  readonly reason: string;
}

/** The rules that a job breaks; none when this site takes part. Pure. */
export function judgeJob(policy: Policy, job: OfferedJob): readonly Refusal[] {
  return [...judgeSubmitter(policy, job.submitter), ...judgeContent(policy, job)];
}

/** The same of a job that nobody has submitted yet. Pure. */
export function judgeContent(policy: Policy, job: Pick<OfferedJob, 'facts' | 'files'>): readonly Refusal[] {
  return [...judgeKinds(policy, job.facts), ...judgeCode(policy, job), ...judgeRounds(policy, job.facts)];
}

/** The limits on a job's size, and the filters of the policy, once the job has been read as a whole. Pure but for making filters. */
export function judgeSize(policy: Policy, { modelBytes = 0, stepBytes = 0, sends }: PreparedJob): readonly Refusal[] {
  const { modelMb = Number.POSITIVE_INFINITY, memoryMb = Number.POSITIVE_INFINITY } = policy.limits;
  const refusals: Refusal[] = [];
  const refuse = (rule: string, reason: string) => refusals.push({ rule, reason });
  const mb = (bytes: number) => Math.ceil(bytes / 1e6);
  if (mb(modelBytes) > modelMb)
    refuse('limits.modelMb', `the model has ${mb(modelBytes)} MB, more than this site allows`);
  if (mb(stepBytes) > memoryMb) {
    refuse('limits.memoryMb', `a training step needs about ${mb(stepBytes)} MB, more than this site allows`);
  }
  for (const { rule, kinds } of blockedPayloads(policy, sends)) {
    refuse(rule, `the job sends ${kinds.join(', ')}, which does not leave this site`);
  }
  return refusals;
}

/** All refusals on one line. */
export function refusalReason(refusals: readonly Refusal[]): string {
  return clip(refusals.map(({ rule, reason }) => `policy ${rule}: ${reason}`).join('; '), 2000);
}

/** What whoever submitted the job can do about it: one sentence for each kind of refusal. */
export function refusalHint(refusals: readonly Refusal[]): string {
  return [...new Set(refusals.map(({ rule }) => nextStep(rule)))].join(' ');
}

function nextStep(rule: string): string {
  if (rule === 'code' || rule === 'code.files') {
    return "The site's operator may approve it under 'code' in policy.yaml: 'consilium policy approve' prints the lines.";
  }
  if (rule.startsWith('limits.')) return `Make the job smaller, or ask the site's operator: '${rule}' in policy.yaml.`;
  return `Ask the site's operator, who decides it by '${rule}' in policy.yaml.`;
}

function judgeSubmitter({ submitters: { names, orgs, roles } }: Policy, { name, org, role }: Submitter): Refusal[] {
  const refusals: Refusal[] = [];
  const refuse = (field: string, reason: string) => refusals.push({ rule: `submitters.${field}`, reason });
  if (names && !names.includes(name)) refuse('names', `jobs of '${name}' are not taken here`);
  if (orgs && !orgs.includes(org)) refuse('orgs', `jobs of '${clip(org, 60)}' are not taken here`);
  if (roles && !roles.some((one) => one === role)) refuse('roles', `jobs of a ${role} are not taken here`);
  return refusals;
}

function judgeKinds(policy: Policy, { workflow, trainer, model, data }: JobFacts): Refusal[] {
  const named: readonly [KindRule, string, string][] = [
    ['workflows', 'workflow', workflow.kind],
    ['trainers', 'trainer', trainer.kind],
    ['models', 'model', model.kind],
    ['data', 'data kind', data.kind],
  ];
  return named.flatMap(([rule, what, kind]) =>
    allowsKind(policy, rule, kind)
      ? []
      : [{ rule, reason: `the ${what} '${clip(kind, 80)}' is not among those that this site takes part with` }],
  );
}

/** A kind of a job's own needs a module, and modules have a rule of their own. */
function allowsKind(policy: Policy, rule: KindRule, kind: string): boolean {
  const listed = policy[rule];
  if (listed) return listed.includes(kind);
  return kind.includes('/') || (builtInKinds[rule] as readonly string[]).includes(kind);
}

function judgeCode(policy: Policy, { facts, files }: Pick<OfferedJob, 'facts' | 'files'>): Refusal[] {
  if (policy.code === 'any') return [];
  const code = files.filter(({ path }) => path !== jobPath && !path.startsWith('site-config/'));
  const { command } = facts.trainer;
  const isCommand = facts.trainer.kind === 'command';
  if (policy.code === 'none') {
    const what = [
      ...(code.length > 0 ? [`${code.length} ${code.length === 1 ? 'file' : 'files'} that came with it`] : []),
      ...(isCommand ? ['a program'] : []),
    ];
    if (what.length === 0) return [];
    return [{ rule: 'code', reason: `the job brings ${what.join(' and ')}, and no code of jobs runs here` }];
  }
  const refusals: Refusal[] = [];
  const approved = new Set(policy.code.files);
  const strange = code.filter(({ sha256 }) => !approved.has(sha256));
  if (strange.length > 0) refusals.push({ rule: 'code.files', reason: unapproved(strange) });
  if (isCommand && !allowsCommand(policy.code.commands, command ?? [], files)) {
    const reason = 'the command line of the trainer is not approved here, word by word';
    refusals.push({ rule: 'code.commands', reason });
  }
  return refusals;
}

/** Hashes say which file, and nothing else. */
const mostHashes = 5;

function unapproved(files: readonly BundleEntry[]): string {
  const count =
    files.length === 1 ? '1 file that came with the job is' : `${files.length} files that came with the job are`;
  const hashes = files.slice(0, mostHashes).map(({ sha256 }) => sha256);
  const rest = files.length > mostHashes ? ` and ${files.length - mostHashes} others` : '';
  return `${count} not approved here (SHA-256 ${hashes.join(', ')}${rest})`;
}

/** A program that came with the job is a file, and files have been judged; for one of this machine the arguments are the program. */
function allowsCommand(
  approved: readonly (readonly string[])[],
  command: readonly string[],
  files: readonly BundleEntry[],
): boolean {
  const [program = ''] = command;
  if (program.includes('/') && files.some(({ path }) => path === posix.normalize(program))) return true;
  return approved.some((line) => line.length === command.length && line.every((word, i) => word === command[i]));
}

function judgeRounds({ limits }: Policy, { workflow }: JobFacts): Refusal[] {
  if (limits.rounds === undefined) return [];
  const rule = 'limits.rounds';
  const { rounds } = workflow;
  if (rounds === undefined && !workflow.kind.includes('/')) return []; // Built-in workflows without rounds have one.
  if (typeof rounds !== 'number') return [{ rule, reason: 'the job does not say how many rounds it has' }];
  if (rounds <= limits.rounds) return [];
  return [{ rule, reason: `the job has ${rounds} rounds, more than this site allows` }];
}

function clip(text: string, length: number): string {
  const line = oneLine(text);
  return line.length > length ? `${line.slice(0, length - 1)}…` : line;
}
