import { Command, Option } from 'commander';
import { testNoiseSeedFrom } from '../runtime/noise';
import { startServer } from '../runtime/server/start-server';
import type { LogFields, LogLevel } from '../tracking/run-log';
import { keepYoungSpaceSmall } from '../util/collect-garbage';
import { indentedLines } from '../util/one-line';
import { errColours } from './colours';
import { printJson } from './print-json';
import { toldToStop } from './told-to-stop';

interface ServerFlags {
  readonly kit: string;
  readonly workspace?: string;
  readonly json?: boolean;
  readonly withParent?: boolean;
}

/** `consilium server`: a server of a federation, until it is told to stop. */
export function serverCommand(): Command {
  return new Command('server')
    .requiredOption('--kit <dir>', "the server's startup kit")
    .option('--workspace <dir>', 'where jobs and logs go, instead of what server.yaml says')
    .option('--json', '{ready, project, server, port, adminPort, metricsPort, workspace, pid} once it listens')
    .addOption(new Option('--with-parent', 'end when standard input ends').hideHelp())
    .exitOverride()
    .addHelpText(
      'after',
      `
Example:
  npx consilium server --kit out/kits/server

Jobs that were under way when a server was stopped or killed go on at its next start.
SIGTERM and Ctrl-C end it in order within shutdownSeconds, exit code 0; a second one ends it at once.`,
    )
    .action(serve);
}

async function serve({ kit, workspace, json = false, withParent = false }: ServerFlags): Promise<void> {
  keepYoungSpaceSmall();
  const testNoiseSeed = testNoiseSeedFrom(process.env);
  const server = await startServer({
    kit,
    onLog: (level, message, fields) => process.stderr.write(logLine(level, message, fields)),
    ...(workspace !== undefined && { workspace }),
    ...(testNoiseSeed !== undefined && { testNoiseSeed }),
  });
  const { project, name, port, adminPort, metricsPort, workspace: where, settings } = server;
  if (json) {
    const ports = { port, adminPort, metricsPort: metricsPort ?? null };
    printJson({ ready: true, project, server: name, ...ports, workspace: where, pid: process.pid });
  } else {
    const monitoring = metricsPort === undefined ? '' : `, http://${settings.metricsHost}:${metricsPort}/metrics`;
    process.stdout.write(`${project}: '${name}' listens at port ${port}${monitoring}; workspace ${where}\n`);
  }
  await toldToStop('stopping. Jobs under way go on at the next start.', withParent);
  const limit = setTimeout(() => {
    process.stderr.write(`The server was not ready to end within ${settings.shutdownSeconds} s, and ends now.\n`);
    process.exit(1);
  }, settings.shutdownSeconds * 1000);
  await server.stop();
  limit.unref(); // Whatever lingers does not keep it for longer.
}

function logLine(level: LogLevel, message: string, { run, site, round }: LogFields): string {
  const where = [run, site, round === undefined ? undefined : `round ${round}`].filter((part) => part !== undefined);
  const mark = level === 'error' ? errColours.red('error ') : level === 'warn' ? errColours.yellow('warning ') : '';
  return `${new Date().toISOString()} ${mark}${where.length === 0 ? '' : `${where.join(' ')}: `}${indentedLines(message)}\n`;
}
