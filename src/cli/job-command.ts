/**
 * `consilium job …`: check a job file before anything runs, show what a job is, export it, help editors.
 *
 * @module
 */
import { dirname, resolve } from 'node:path';
import { Command } from 'commander';
import { ConfigError, isConsiliumError } from '../errors';
import { exportJob } from '../jobs/export-job';
import { checkJobFile } from '../jobs/job-file';
import { jobSchemaJson, jobSchemaText } from '../jobs/job-schema';
import { jobHash } from '../jobs/job-spec';
import { type JobProblem, jobFileError } from '../jobs/job-yaml';
import { checkParts } from '../runtime/part-check';
import { exportedLine } from './exported-line';
import { readJobSource, recipeNames } from './job-source';
import { jobSummary } from './job-summary';
import { printJson } from './print-json';

interface JobFlags {
  readonly json?: boolean;
}

const source = `a job file, or a recipe with its defaults: ${recipeNames.join(', ')}`;

export function jobCommand(): Command {
  return new Command('job')
    .addCommand(validateCommand())
    .addCommand(showCommand())
    .addCommand(exportCommand())
    .addCommand(schemaCommand());
}

function validateCommand(): Command {
  return new Command('validate')
    .description('Check job files without a run: every mistake with line, column, path and what is allowed.')
    .argument('<files...>', 'job files')
    .option('--json', '{valid, files: [{file, valid, name, hash, problems: [{line, column, path, message}]}]}')
    .exitOverride()
    .addHelpText(
      'after',
      '\nFiles that a job names under `modules` are loaded, because they define its own parts.\nExit codes: 0 all are valid, 2 at least one is not.\n\nExample:\n  npx consilium job validate job.yaml',
    )
    .action(validate);
}

/** What a command says of one file. */
interface FileReport {
  readonly file: string;
  readonly valid: boolean;
  readonly name?: string;
  readonly hash?: string;
  readonly problems: readonly JobProblem[];
}

async function validate(files: readonly string[], { json }: JobFlags): Promise<void> {
  const reports: FileReport[] = [];
  for (const file of files) reports.push(await reportOn(file));
  const valid = reports.every((report) => report.valid);
  if (json) printJson({ valid, files: reports });
  else
    for (const { file, name, hash } of reports)
      if (hash) process.stdout.write(`${file} is a valid job: ${name}, sha256 ${hash}\n`);
  if (!valid) throw errorOf(reports.filter((report) => !report.valid));
}

async function reportOn(file: string): Promise<FileReport> {
  try {
    const check = await checkJobFile(file, { folder: dirname(resolve(file)) });
    if ('problems' in check) return { file, valid: false, problems: check.problems };
    checkParts(check.job, dirname(resolve(file)));
    return { file, valid: true, name: check.job.name, hash: jobHash(check.job), problems: [] };
  } catch (error) {
    // A file that cannot be read must not hide what is wrong with the others.
    if (!isConsiliumError(error, 'ConfigError')) throw error;
    const message = error.hint === undefined ? error.message : `${error.message} ${error.hint}`;
    return { file, valid: false, problems: [{ line: undefined, column: undefined, path: '', message }] };
  }
}

/** One error for all files. */
function errorOf(reports: readonly FileReport[]): ConfigError {
  const errors = reports.map(({ file, problems }) => jobFileError(problems, file));
  const hint = errors[0]?.hint;
  return new ConfigError(errors.map(({ message }) => message).join('\n'), hint === undefined ? {} : { hint });
}

function showCommand(): Command {
  return new Command('show')
    .description(
      'What a job is: sites, workflow, model, trainer, data, and where its filters stand. Defaults are filled in.',
    )
    .argument('<job>', source)
    .option('--json', '{name, hash, job}')
    .exitOverride()
    .addHelpText('after', '\nExamples:\n  npx consilium job show job.yaml\n  npx consilium job show brats18 --json')
    .action(async (word: string, { json }: JobFlags) => {
      const { job } = await readJobSource(word);
      if (json) printJson({ name: job.name, hash: jobHash(job), job });
      else process.stdout.write(jobSummary(job));
    });
}

function exportCommand(): Command {
  return new Command('export')
    .description(
      'Write a job as DIR/job.yaml, defaults and variables filled in, with the schema that editors check it by.',
    )
    .argument('<job>', source)
    .argument('<dir>', 'a new or an empty folder')
    .option('--json', '{name, hash, files: {job, schema, own}}')
    .exitOverride()
    .addHelpText('after', '\nExample:\n  npx consilium job export brats18 my-job')
    .action(async (word: string, folder: string, { json }: JobFlags) => {
      const { job, folder: from } = await readJobSource(word);
      const files = await exportJob(job, folder, { from });
      const report = { name: job.name, hash: jobHash(job), files };
      if (json) printJson(report);
      else process.stdout.write(exportedLine(files));
    });
}

function schemaCommand(): Command {
  return new Command('schema')
    .description('The JSON Schema of job files, draft 2020-12.')
    .option('--json', 'on one line')
    .exitOverride()
    .addHelpText(
      'after',
      '\nExample:\n  npx consilium job schema > job.schema.json\nthen, as the first line of a job file beside it:\n  # yaml-language-server: $schema=./job.schema.json',
    )
    .action(({ json }: JobFlags) => {
      if (json) printJson(jobSchemaJson());
      else process.stdout.write(jobSchemaText());
    });
}
