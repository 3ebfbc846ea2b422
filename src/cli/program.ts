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
  poc: {
    summary: 'Run a job file between a real server and real sites, as processes of this machine.',
    load: () => (require('./poc-command') as typeof import('./poc-command')).pocCommand(),
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
  'run-server': {
    summary: 'Run an MRI translation job at a server of its own, as the published system is run: <port> <strategy>.',
    load: () => (require('./run-server-command') as typeof import('./run-server-command')).runServerCommand(),
  },
  'run-client': {
    summary: 'Run a site of it: <data_dir> <client_id> <server> <strategy>.',
    load: () => (require('./run-client-command') as typeof import('./run-client-command')).runClientCommand(),
  },
  compare: {
    summary: 'Compare runs: one table and one picture.',
    load: () => (require('./compare-command') as typeof import('./compare-command')).compareCommand(),
  },
  model: {
    summary: 'List models, show what one is made of, check a file against one.',
    load: () => (require('./model-command') as typeof import('./model-command')).modelCommand(),
  },
  server: {
    summary: 'Run the server of a federation.',
    load: () => (require('./server-command') as typeof import('./server-command')).serverCommand(),
  },
  client: {
    summary: 'Run a site of a federation.',
    load: () => (require('./client-command') as typeof import('./client-command')).clientCommand(),
  },
  policy: {
    summary: 'Check what a site takes part in; approve code that may run there.',
    load: () => (require('./policy-command') as typeof import('./policy-command')).policyCommand(),
  },
  submit: {
    summary: 'Submit a job to a server.',
    load: () => (require('./submit-command') as typeof import('./submit-command')).submitCommand(),
  },
  jobs: {
    summary: 'List the jobs of a server.',
    load: () => (require('./jobs-command') as typeof import('./jobs-command')).jobsCommand(),
  },
  show: {
    summary: 'Say all that a server knows of a job.',
    load: () => (require('./show-command') as typeof import('./show-command')).showCommand(),
  },
  logs: {
    summary: 'Say what has happened in a job, or follow it.',
    load: () => (require('./logs-command') as typeof import('./logs-command')).logsCommand(),
  },
  abort: {
    summary: 'End a job, or the part of one site.',
    load: () => (require('./abort-command') as typeof import('./abort-command')).abortCommand(),
  },
  clone: {
    summary: 'Run the content of a job anew.',
    load: () => (require('./clone-command') as typeof import('./clone-command')).cloneCommand(),
  },
  delete: {
    summary: 'Remove a job that has ended.',
    load: () => (require('./delete-command') as typeof import('./delete-command')).deleteCommand(),
  },
  download: {
    summary: 'Fetch the files of a run.',
    load: () => (require('./download-command') as typeof import('./download-command')).downloadCommand(),
  },
  sites: {
    summary: 'List the sites of a project, and whether they are there.',
    load: () => (require('./sites-command') as typeof import('./sites-command')).sitesCommand(),
  },
  audit: {
    summary: 'Check the audit log of a server or a site.',
    load: () => (require('./audit-command') as typeof import('./audit-command')).auditCommand(),
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
