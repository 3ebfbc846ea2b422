import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { ConfigError, SiteFailedError } from '../errors';
import { type SiteEvent, startSite } from '../runtime/client/start-site';
import { loadKit } from '../runtime/provision/kit';
import { stopInTime } from './client-command';
import { translationKits } from './run-server-command';
import { siteDisplay } from './site-display';
import { toldToStop } from './told-to-stop';

interface RunClientFlags {
  readonly kits: string;
}

/** `consilium run-client <data_dir> <client_id> <server> [strategy]`: a site, until the job has ended. */
export function runClientCommand(): Command {
  return new Command('run-client')
    .argument('<data_dir>', "this site's slices: {train,validation,test}/{t1,t2,flair,mask}/*.npy")
    .argument('<client_id>', 'its name, as the server knows it')
    .argument('<server>', 'host:port of the server, or its port on this machine')
    .argument('[strategy]', 'that the server is to run; another one is refused')
    .option('--kits <dir>', "folder with this site's startup kit", join('consilium-workspace', translationKits, 'kits'))
    .exitOverride()
    .addHelpText('after', '\nExample:\n  npx consilium run-client DATA/hgg hgg 127.0.0.1:8084 fedbadam')
    .action(run);
}

async function run(
  dataDir: string,
  name: string,
  server: string,
  strategy: string | undefined,
  { kits }: RunClientFlags,
): Promise<void> {
  const path = resolve(dataDir);
  if (!existsSync(join(path, 'train'))) {
    throw new ConfigError(`'${dataDir}' has no folder 'train' with the slices of a site.`, {
      hint: 'Make slices with `consilium data slices`.',
    });
  }
  const kit = join(kits, name);
  const port = await portOf(server, kit);
  let end = (_: Error | undefined) => {};
  const ended = new Promise<Error | undefined>((resolved) => {
    end = resolved;
  });
  const show = siteDisplay();
  const site = await startSite({
    ...{ kit, port, data: { slices: { path } } },
    on(event) {
      show(event);
      const outcome = outcomeOf(event, strategy);
      if (outcome) end(outcome === 'finished' ? undefined : outcome);
    },
  });
  try {
    const told = toldToStop('leaving. What is in hand goes on at the next start.', false).then(() => undefined);
    const error = await Promise.race([told, ended, site.running.then(() => undefined)]);
    if (error) throw error;
  } finally {
    await stopInTime(site);
  }
}

/** @throws ConfigError for a site without a kit, and for an address that is not the kit's server. */
async function portOf(server: string, folder: string): Promise<number> {
  const [, host, digits] = /^(?:(.+):)?(\d{1,5})$/.exec(server) ?? [];
  if (digits === undefined) {
    throw new ConfigError(`'${server}' is no address of a server.`, {
      hint: 'Give host:port, or the port on this machine.',
    });
  }
  if (!existsSync(folder)) {
    throw new ConfigError(`There is no startup kit in '${folder}'.`, {
      hint: 'run-server makes the kits of the sites that it is given; start it first, and copy the kit from it where the site is another machine.',
    });
  }
  const { hosts } = (await loadKit(folder, 'site')).server;
  if (host !== undefined && !hosts.includes(host)) {
    throw new ConfigError(`The kit in '${folder}' is for a server at ${hosts.join(', ')}, not at ${host}.`, {
      hint: 'Give one of these hosts, or a kit of that server.',
    });
  }
  return Number(digits);
}

/** What an event means for this command: nothing yet, the end, or an error. */
function outcomeOf(event: SiteEvent, strategy: string | undefined): 'finished' | Error | undefined {
  if (event.kind === 'job-offered') {
    if (event.verdict !== 'accepted') return new ConfigError(`This site refused the job: ${event.reason}`);
    const runs = /^mri_([a-z]+)-/.exec(event.job)?.[1];
    if (strategy === undefined || runs === undefined || runs === strategy) return undefined;
    return new ConfigError(`The server runs '${runs}', but '${strategy}' was asked for.`, {
      hint: `Leave the strategy out, or start the server with ${strategy}.`,
    });
  }
  if (event.kind !== 'job-ended') return undefined;
  return event.outcome === 'finished' ? 'finished' : new SiteFailedError(`The job ${event.outcome}: ${event.reason}`);
}
