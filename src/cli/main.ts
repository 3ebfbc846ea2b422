/**
 * The `consilium` command: one subcommand a file.
 *
 * @module
 */
import { Command } from 'commander';
import { dataCommand } from './data-command';
import { evaluateCommand } from './evaluate-command';
import { runCommand } from './exit';
import { modelCommand } from './model-command';
import { simulateCommand } from './simulate-command';

const program = new Command('consilium')
  .description('Federated learning of medical-imaging models, with no Python.')
  .showHelpAfterError('(see --help)')
  .exitOverride()
  .addHelpText('after', '\nExit codes: 0 done, 1 failed, 2 wrong flags, job or data, 130 stopped by Ctrl-C.')
  .addCommand(simulateCommand())
  .addCommand(evaluateCommand())
  .addCommand(dataCommand())
  .addCommand(modelCommand());

void runCommand(async () => {
  await program.parseAsync(process.argv);
});
