/**
 * Job files: a job as YAML and back.
 *
 * @module
 */
import { z } from 'zod';
import { type ConfigError, isConsiliumError } from '../errors';
import type { Json } from '../util/json';
import { escapeEnvironment, substituteEnvironment, type Variables, variablesUnder } from './environment-text';
import { type FileProblem, fileError, placed, placedFields } from './file-problems';
import { explain, type FieldProblem } from './job-problems';
import { type JobSpec, jobSpec, jobSpecAt } from './job-spec';
import { loadModules } from './load-modules';
import { fileProblems } from './named-files';
import { readYaml, type YamlDocument } from './yaml-document';
import { decodeJobText } from './yaml-guard';
import { yaml } from './yaml-library';

export interface JobToYamlOptions {
  /** Where an editor finds the JSON Schema: a path from the job file, or a URL. @default no such line */
  readonly schema?: string;
  /** Whether `${NAME}` in `data` is left for each site to fill in; else it stands for that very text. @default false */
  readonly forSites?: boolean;
}

/** The job as YAML. Equal jobs give equal bytes. */
export function jobToYaml(job: JobSpec, { schema, forSites = false }: JobToYamlOptions = {}): string {
  const forEditors = schema === undefined ? '' : `# yaml-language-server: $schema=${schema}\n`;
  const { Document, isScalar, visit } = yaml();
  const document = new Document(
    kindFirst(escapeEnvironment(job, variablesUnder(forSites ? ['data'] : [], jobSpec, job))),
    { aliasDuplicateObjects: false },
  );
  visit(document, {
    Seq(_, list) {
      // Sizes on one line, names one below the other.
      list.flow = list.items.every((item) => isScalar(item) && typeof item.value === 'number');
    },
  });
  const body = document.toString({ lineWidth: 0, flowCollectionPadding: false });
  return `${forEditors}# A Consilium job. Run it with: npx consilium simulate <this file>\n${body}`;
}

/** Plain data with `kind` as the first key of each mapping: it says what the others mean. */
function kindFirst(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(kindFirst);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, kindFirst(inner)] as const);
  return Object.fromEntries([
    ...entries.filter(([key]) => key === 'kind'),
    ...entries.filter(([key]) => key !== 'kind'),
  ]);
}

export interface JobFromYamlOptions {
  /** Variables for `${NAME}` in fields that allow it. @default those of the process */
  readonly environment?: Variables;
  /**
   * Folder of the file. With it, the modules that the job names are loaded, which runs them, and the files that it names have to
   * be there; without it, a job that names modules is refused.
   */
  readonly folder?: string;
  /**
   * Whether the job is for sites elsewhere: `${NAME}` in `data` is left as it is, since each site fills in its own, and whether
   * there is a program to train with is the sites' to find out. @default false
   */
  readonly forSites?: boolean;
  /** The job's `siteConfig`, when it does not stand in the file itself. */
  readonly siteConfig?: Readonly<Record<string, Json>>;
  /** Whether, with a folder, training code and checkpoints have to be there; at one site, the code alone. @default true */
  readonly needsFiles?: boolean;
  /** The one site whose `siteConfig` is here, where the others' is not. @default the job has the configuration of all */
  readonly onlySite?: string;
}

/** Something wrong with a job file. */
export type JobProblem = FileProblem;

export type JobCheck = { readonly job: JobSpec } | { readonly problems: readonly JobProblem[] };

/**
 * Reads a job file: text, or the bytes of a file.
 *
 * @param source how messages call the file
 * @throws ConfigError that lists every problem with file, line, column, path, what came and what is allowed.
 */
export function jobFromYaml(text: string | Uint8Array, source = 'job.yaml', options: JobFromYamlOptions = {}): JobSpec {
  const check = checkJobYaml(text, options);
  if ('job' in check) return check.job;
  throw jobFileError(check.problems, source);
}

/** Checks a job file without throwing; problems come in the order of the file. */
export function checkJobYaml(text: string | Uint8Array, options: JobFromYamlOptions = {}): JobCheck {
  const document = withSiteConfig(readJobDocument(text), options.siteConfig);
  if (document.problems.length > 0) return { problems: placed(document.text, document.problems) };
  const modules = loadNamedModules(document.value, options.folder);
  if (modules !== undefined) return refused(document, [{ path: ['modules'], ofKey: false, message: modules }]);
  const schema = options.onlySite === undefined ? jobSpec : jobSpecAt(options.onlySite);
  return checkDocument(schema, document, options);
}

/** Loads the user's own parts, whose schemas are known only then. @returns what is wrong with the modules, if anything is */
function loadNamedModules(value: unknown, folder: string | undefined): string | undefined {
  const named = z.looseObject({ modules: z.array(z.string().min(1)).nonempty() }).safeParse(value);
  if (!named.success) return undefined; // What is wrong with their form, the job's own schema says.
  if (folder === undefined)
    return 'these are code; give the folder of the job file to allow that they are loaded and run';
  try {
    loadModules(named.data.modules, folder);
    return undefined;
  } catch (error) {
    if (!isConsiliumError(error, 'ConfigError')) throw error;
    if (error.hint === undefined) return error.message;
    const end = /[.!?:]$/.test(error.message) ? '' : '.';
    return `${error.message}${end} ${error.hint}`;
  }
}

/** The plain data of a job file, not yet checked against the schema. */
function readJobDocument(text: string | Uint8Array): YamlDocument {
  if (typeof text === 'string') return readYaml(text);
  const decoded = decodeJobText(text);
  if ('text' in decoded) return readYaml(decoded.text);
  return {
    text: Buffer.from(text).toString('utf8'),
    value: undefined,
    problems: decoded.problems,
    placeOf: () => undefined,
  };
}

/** Texts of the configuration stand for themselves. */
function withSiteConfig(document: YamlDocument, siteConfig: JobFromYamlOptions['siteConfig']): YamlDocument {
  const { value } = document;
  if (siteConfig === undefined || typeof value !== 'object' || value === null || Array.isArray(value)) return document;
  return { ...document, value: { ...value, siteConfig: escapeEnvironment(siteConfig) } };
}

function checkDocument(
  schema: z.ZodType<JobSpec>,
  document: YamlDocument,
  { environment = process.env, folder, forSites = false, needsFiles = true, onlySite }: JobFromYamlOptions,
): JobCheck {
  if (document.value === null) {
    return {
      problems: placed(document.text, [{ offset: 0, message: "the file is empty; a job begins with 'version: 1'" }]),
    };
  }
  const { value, problems } = substituteEnvironment(
    schema,
    document.value,
    environment,
    variablesUnder(forSites ? ['data'] : [], schema, document.value),
  );
  const variables = new Set(problems.map(({ path }) => path.join('\0')));
  const wrong = explain(schema, value, { sourceOf: (path) => document.placeOf(path)?.source }).filter(
    ({ path }) => !variables.has(path.join('\0')),
  );
  // A field that the schema does not know is the greater mistake, and reported already.
  const unfilled = problems.filter(({ known }) => known || wrong.length === 0);
  const missing =
    needsFiles && folder !== undefined
      ? fileProblems(value, folder, { checkpoints: onlySite === undefined, programs: !forSites })
      : [];
  const all: readonly FieldProblem[] = [
    ...unfilled.map((problem) => ({ ...problem, ofKey: false })),
    ...wrong,
    ...missing
      .filter(({ path }) => !variables.has(path.join('\0')))
      .map((problem) => ({ ...problem, message: `${problem.message}. ${problem.hint}`, ofKey: false })),
  ];
  return all.length > 0 ? refused(document, all) : { job: schema.parse(value) };
}

function refused(document: YamlDocument, problems: readonly FieldProblem[]): JobCheck {
  return { problems: placedFields(document, problems) };
}

/** The problems of a job file as one error. */
export function jobFileError(problems: readonly JobProblem[], source: string): ConfigError {
  return fileError(problems, {
    source,
    what: 'job',
    hint: 'Correct the places named above; docs/reference/job.md lists all fields, and `consilium job schema` helps editors.',
  });
}
