/**
 * The `consilium` command.
 *
 * @module
 */
import { runCommand } from './exit';
import { consiliumProgram } from './program';

void runCommand(async () => {
  await consiliumProgram((name) => process.argv.includes(name)).parseAsync(process.argv);
});
