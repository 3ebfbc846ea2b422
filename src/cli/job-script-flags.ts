/**
 * The flags that the job scripts share: how a run goes, not what it does.
 *
 * @module
 */
import { Command, Option } from 'commander';
import { jobName, wholeNumber } from './flags';

export interface JobScriptFlags {
  readonly workspace: string | undefined;
  readonly threads: number | undefined;
  readonly resume: boolean;
  readonly exportTo: string | undefined;
  readonly json: boolean;
}

/** As commander gives them. */
export interface RawJobScriptFlags {
  readonly workspace?: string;
  readonly threads?: number;
  readonly gpu?: string;
  readonly job_name?: string;
  readonly seed: number;
  readonly resume?: boolean;
  readonly export?: string;
  readonly json?: boolean;
}

/** The command of a job script, to which it adds its own flags. */
export function jobScriptCommand(name: string, description: string, examples: string): Command {
  return new Command(name)
    .description(description)
    .allowExcessArguments(false)
    .showHelpAfterError('(see --help)')
    .exitOverride()
    .addHelpText('after', examples);
}

/** @param names how the run is called without `--job_name` */
export function addJobScriptFlags(command: Command, names: string): Command {
  return command
    .option('--workspace <dir>', 'where runs and synthetic data go (./consilium-workspace)')
    .addOption(option('--threads <n>', 'sites that train at the same time (as many as cores)', wholeNumber(1)))
    .option('--gpu <which>', 'execution provider: webgpu, cuda, cuda:1 or 0')
    .addOption(option('--job_name <name>', `name of the run (${names})`, jobName))
    .addOption(option('--seed <n>', 'everything random but privacy noise', wholeNumber(0)).default(0))
    .option('--resume', 'continue the run of this name')
    .option('--export <dir>', 'write the job there instead of running it')
    .option('--json', 'progress to standard error, one JSON object to standard output');
}

export function jobScriptFlags(flags: RawJobScriptFlags): JobScriptFlags {
  return {
    workspace: flags.workspace,
    threads: flags.threads,
    resume: flags.resume ?? false,
    exportTo: flags.export,
    json: flags.json ?? false,
  };
}

export function option<T>(flags: string, description: string, parse: (text: string, before: never) => T): Option {
  return new Option(flags, description).argParser(parse as (text: string, before: T) => T);
}
