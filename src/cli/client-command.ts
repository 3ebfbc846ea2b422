import { Command, Option } from 'commander';
import { logLine } from '../runtime/client/site-events-text';
import { type SiteEvent, type StartedSite, startSite } from '../runtime/client/start-site';
import { examineSiteStart } from '../runtime/kit-doctor';
import { testNoiseSeedFrom } from '../runtime/noise';
import { errColours } from './colours';
import { wholeNumber } from './flags';
import { printJson } from './print-json';
import { toldToStop } from './told-to-stop';

interface ClientFlags {
  readonly kit: string;
  readonly workspace?: string;
  readonly port?: number;
  readonly withParent?: boolean;
  readonly json?: boolean;
}

/** `consilium client`: a site of a federation, until it is told to stop. */
export function clientCommand(): Command {
  return new Command('client')
    .requiredOption('--kit <dir>', "the site's startup kit")
    .option('--workspace <dir>', 'where jobs and logs go, instead of what site.yaml says')
    .option('--port <n>', "the server's port, instead of the kit's", wholeNumber(1))
    .option('--json', '{ready, project, site, server, metricsPort, workspace, pid} once it is connected')
    .addOption(new Option('--with-parent', 'end when standard input ends').hideHelp())
    .exitOverride()
    .addHelpText(
      'after',
      `
Example:
  npx consilium client --kit out/kits/site-1

site.yaml in the kit says where the data are, policy.yaml what this site takes part in.
What a killed site had in hand goes on at its next start.
SIGTERM and Ctrl-C end it in order within shutdownSeconds, exit code 0; a second one ends it at once.`,
    )
    .action(run);
}

async function run({ kit, workspace, port, withParent = false, json = false }: ClientFlags): Promise<void> {
  const testNoiseSeed = testNoiseSeedFrom(process.env);
  if (testNoiseSeed !== undefined) tell('warn', 'NOT PRIVATE: privacy noise is drawn from a test seed.');
  await lookFirst(kit);
  let first = (_: string) => {};
  const connected = new Promise<string>((resolve) => {
    first = resolve;
  });
  const show = display();
  const site = await startSite({
    kit,
    workspace,
    port,
    testNoiseSeed,
    on(event) {
      show(event);
      if (event.kind === 'connected') first(event.session);
    },
  });
  const { project, server, workspace: where } = site;
  if (!json) tell('info', `'${site.site}' of '${project}' connects to ${server}; workspace ${where}`);
  const told = toldToStop('leaving. What is in hand goes on at the next start.', withParent);
  if (json) connected.then(() => printJson(readyLine(site)));
  try {
    await Promise.race([told, site.running]);
  } finally {
    await stopInTime(site);
  }
}

function readyLine({ project, site, server, metricsPort, workspace }: StartedSite) {
  return { ready: true, project, site, server, metricsPort: metricsPort ?? null, workspace, pid: process.pid };
}

/** What its people should know of a site before it starts. What it cannot start with is an error of its own. */
async function lookFirst(kit: string): Promise<void> {
  for (const { name, status, message, hint = '' } of await examineSiteStart(kit)) {
    if (status !== 'ok') tell('warn', `${name}: ${message} ${hint}`.trimEnd());
  }
}

async function stopInTime(site: StartedSite): Promise<void> {
  const { shutdownSeconds } = site.settings;
  const limit = setTimeout(() => {
    process.stderr.write(
      `The site was not ready to end within ${shutdownSeconds} s, and ends now; what counts is on disk.\n`,
    );
    process.exit(1);
  }, shutdownSeconds * 1000);
  await site.stop();
  clearTimeout(limit);
}

/** Plain lines. Of progress, a line whenever a tenth more is done. */
function display(): (event: SiteEvent) => void {
  const tenths = new Map<string, number>();
  let why = '';
  return (event) => {
    if (event.kind === 'progress') {
      const { job, round, progress } = event;
      const { phase, done, total, loss } = progress;
      const key = `${job} ${round} ${phase}`;
      const tenth = Math.floor((10 * done) / Math.max(1, total));
      if (tenth === (tenths.get(key) ?? 0)) return;
      if (tenth === 10) tenths.delete(key);
      else tenths.set(key, tenth);
      const what = phase === 'train' ? 'step' : 'validation';
      const shown = loss === undefined ? '' : `, loss ${loss.toFixed(3)}`;
      return tell('info', `${job} round ${round}: ${what} ${done}/${total}${shown}`);
    }
    if (event.kind === 'disconnected') why = event.reason.message;
    if (event.kind === 'unreachable') why = [event.error.message, event.error.hint].filter(Boolean).join(' ');
    if (event.kind === 'disconnected' || event.kind === 'unreachable') return; // Said with what comes of it.
    if (event.kind === 'retrying') {
      return tell('warn', `reconnecting in ${(event.inMs / 1000).toFixed(1)} s, because: ${why}`);
    }
    const line = logLine(event);
    if (!line) return;
    const { run, round } = line.fields;
    const where = [run, round === undefined ? undefined : `round ${round}`].filter((part) => part !== undefined);
    tell(line.level, `${where.length === 0 ? '' : `${where.join(' ')}: `}${line.message}`);
  };
}

function tell(level: 'debug' | 'info' | 'warn' | 'error', message: string): void {
  const mark = level === 'error' ? errColours.red('error ') : level === 'warn' ? errColours.yellow('warning ') : '';
  process.stderr.write(`${new Date().toISOString()} ${mark}${message}\n`);
}
