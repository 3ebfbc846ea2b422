import { Command, Option } from 'commander';
import { eventText, startClient } from '../runtime/client/start-client';
import type { AgentEvent } from '../transport/agent-types';
import { errColours } from './colours';
import { wholeNumber } from './flags';
import { printJson } from './print-json';
import { toldToStop } from './told-to-stop';

interface ClientFlags {
  readonly kit: string;
  readonly workspace?: string;
  readonly json?: boolean;
  readonly withParent?: boolean;
  readonly testNoiseSeed?: number;
}

/** `consilium client`: a site of a federation, until it is told to stop. */
export function clientCommand(): Command {
  return new Command('client')
    .requiredOption('--kit <dir>', "the site's startup kit")
    .option('--workspace <dir>', 'where jobs and logs go, instead of what site.yaml says')
    .option('--json', '{ready, project, site, addresses, workspace, pid} once it dials')
    .addOption(new Option('--with-parent', 'end when standard input ends').hideHelp())
    .addOption(new Option('--test-noise-seed <n>', 'NOT PRIVATE: for tests').argParser(wholeNumber(0)).hideHelp())
    .exitOverride()
    .addHelpText(
      'after',
      `
Example:
  npx consilium client --kit kits/site-1

The site only dials out. It dials again whatever happens, and goes on with what it had in hand when it was stopped or
killed. SIGTERM and Ctrl-C end it in order within shutdownSeconds, exit code 0; a second one ends it at once.`,
    )
    .action(join);
}

async function join({ kit, workspace, json = false, withParent = false, testNoiseSeed }: ClientFlags): Promise<void> {
  const client = await startClient({
    kit,
    onEvent: (event) => process.stderr.write(eventLine(event)),
    ...(workspace !== undefined && { workspace }),
    ...(testNoiseSeed !== undefined && { testNoiseSeed }),
  });
  const { project, site, addresses, workspace: where, settings } = client;
  if (json) printJson({ ready: true, project, site, addresses, workspace: where, pid: process.pid });
  else process.stdout.write(`${project}: '${site}' dials ${addresses.join(', ')}; workspace ${where}\n`);
  await Promise.race([toldToStop('stopping. What is in hand goes on at the next start.', withParent), client.ended]);
  const limit = setTimeout(() => {
    process.stderr.write(`The site was not ready to end within ${settings.shutdownSeconds} s, and ends now.\n`);
    process.exit(1);
  }, settings.shutdownSeconds * 1000);
  await client.stop();
  clearTimeout(limit);
}

function eventLine(event: AgentEvent): string {
  const job = 'job' in event ? `${event.job}: ` : '';
  const round = 'round' in event ? `round ${event.round}: ` : '';
  const text = `${job}${round}${eventText(event)}`;
  const isTrouble = ['unreachable', 'disconnected', 'task-failed', 'trouble'].includes(event.kind);
  return `${new Date().toISOString()} ${isTrouble ? errColours.yellow(text) : text}\n`;
}
