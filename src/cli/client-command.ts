import { Command, Option } from 'commander';
import { type StartedSite, startSite } from '../runtime/client/start-site';
import { examineSiteStart } from '../runtime/kit-doctor';
import { testNoiseSeedFrom } from '../runtime/noise';
import { portNumber } from './flags';
import { printJson } from './print-json';
import { siteDisplay, tell } from './site-display';
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
    .option('--port <n>', "the server's port, instead of the kit's", portNumber)
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
  const show = siteDisplay();
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

/** What its people should know of a site before it starts. What it cannot start with is an error of its own, told once. */
async function lookFirst(kit: string): Promise<void> {
  const findings = await examineSiteStart(kit);
  if (findings.some(({ name, status }) => status === 'problem' && (name === 'settings' || name === 'policy'))) return;
  for (const { name, status, message, hint } of findings) {
    if (status !== 'ok') tell('warn', `${name}: ${[asSentence(message), hint].filter(Boolean).join(' ')}`);
  }
}

function asSentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

export async function stopInTime(site: StartedSite): Promise<void> {
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
