/**
 * The `consilium` command with its subcommands, one a file.
 *
 * @module
 */
import { Command } from 'commander';

interface Subcommand {
  /** What the command does, for the help of all and its own. */
  readonly summary: string;
  readonly load: () => Command;
}

/**
 * A subcommand's file is loaded only when its name is among the arguments, because most of them load the engine: so
 * `--help` and a mistyped name answer at once.
 */
const subcommands: Readonly<Record<string, Subcommand>> = {
  simulate: {
    summary: 'Run a job file on this machine.',
    load: () => (require('./simulate-command') as typeof import('./simulate-command')).simulateCommand(),
  },
  job: {
    summary: 'Check, show and export jobs; the schema of job files for editors.',
    load: () => (require('./job-command') as typeof import('./job-command')).jobCommand(),
  },
  evaluate: {
    summary: 'Score a model on the cases of a data list and write the predicted masks.',
    load: () => (require('./evaluate-command') as typeof import('./evaluate-command')).evaluateCommand(),
  },
  data: {
    summary: 'Make data sets.',
    load: () => (require('./data-command') as typeof import('./data-command')).dataCommand(),
  },
  recipe: {
    summary: 'List recipes and their options.',
    load: () => (require('./recipe-command') as typeof import('./recipe-command')).recipeCommand(),
  },
  doctor: {
    summary: 'Check this machine, and a job, before anything is started.',
    load: () => (require('./doctor-command') as typeof import('./doctor-command')).doctorCommand(),
  },
  provision: {
    summary: 'Make the startup kits of a federation: who takes part, each with a certificate of the project.',
    load: () => (require('./provision-command') as typeof import('./provision-command')).provisionCommand(),
  },
  report: {
    summary: 'Say where a run stands, round by round.',
    load: () => (require('./report-command') as typeof import('./report-command')).reportCommand(),
  },
  model: {
    summary: 'List models, show what one is made of, check a file against one.',
    load: () => (require('./model-command') as typeof import('./model-command')).modelCommand(),
  },
};

/** @param loaded says which subcommands are loaded; the others stand in the help with their summaries only. */
export function consiliumProgram(loaded: (name: string) => boolean): Command {
  const program = new Command('consilium')
    .description('Federated learning of medical-imaging models, with no Python.')
    .showHelpAfterError('(see --help)')
    // An option belongs to the command whose name stands before it.
    .enablePositionalOptions()
    .exitOverride()
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 failed, 2 wrong flags, job or data, or not allowed, 130 stopped by Ctrl-C.',
    );

  for (const [name, { summary, load }] of Object.entries(subcommands)) {
    const command = loaded(name) ? load() : new Command(name);
    program.addCommand(command.description(summary));
  }
  overrideExit(program);
  return program;
}

/** Errors are told in one place, those of nested commands too. */
function overrideExit(command: Command): void {
  command.exitOverride();
  for (const inner of command.commands) overrideExit(inner);
}
