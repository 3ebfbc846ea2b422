/**
 * Looks at a startup kit, and at the machine that it is to run on, before anything is started.
 *
 * @module
 */
import { lookup } from 'node:dns/promises';
import { createServer } from 'node:net';
import { dirname, isAbsolute, resolve } from 'node:path';
import { ConfigError } from '../errors';
import { maxJobBytes } from '../jobs/yaml-guard';
import { mostSkewMs, skewHint } from '../util/clock-skew';
import { counted } from '../util/counted';
import { readBounded } from '../util/read-bounded';
import { readPolicy } from './client/policy';
import { parseSiteSettings } from './client/site-settings';
import { examineJobToSubmit } from './doctor';
import type { SiteImages } from './job-data';
import { listed, listedSlices, readable } from './kit-data-check';
import { privacyFindings } from './ledger-check';
import { examineMachine, type Finding, type Found, look } from './machine-check';
import { readableFingerprint } from './provision/certificate';
import { type Kit, loadKit, readKitKind } from './provision/kit';
import { maxRosterBytes, verifyRoster } from './provision/roster';
import { parseServerSettings } from './server/server-settings';
import { examineJobAtSite } from './site-job-check';

/** What a server says to who reaches it. */
export interface Reached {
  /** Its clock, milliseconds since 1970, when it was asked, half a round trip ago. */
  readonly serverTimeMs: number;
}

export interface ExamineKitOptions {
  /** Milliseconds since 1970. @default the clock of this machine */
  readonly now?: () => number;
  /** Reaches the project's server as the kit's owner. @throws what stands in the way. @default the server is not looked for */
  readonly reach?: (kit: Kit) => Promise<Reached>;
  /** A job file: what it would meet at the site of the kit; with the kit of a person, what can be said of it before it is submitted. @default none */
  readonly job?: string;
}

/** What was found, in order. Nothing is thrown for what is found. */
export async function examineKit(
  folder: string,
  { now = Date.now, reach, job }: ExamineKitOptions = {},
): Promise<readonly Finding[]> {
  let kit: Kit | undefined;
  const findings = [
    await look('kit', async () => {
      kit = await readKit(resolve(folder), now());
      const { kind, name, role, project, org } = kit;
      return {
        status: 'ok',
        message: `${kind === 'admin' ? role : kind} '${name}' of ${org}, project '${project}': as it was made`,
      };
    }),
  ];
  if (!kit) return findings;
  const found = kit;
  findings.push(await look('certificate', async () => certificate(found, now())));
  findings.push(await look('authority', async () => authority(found)));
  if (kit.kind === 'server') findings.push(await look('roster', () => roster(found, now())));
  else findings.push(...(await addresses(found)));
  if (reach && kit.kind !== 'server') findings.push(...(await reached(found, reach, now)));
  if (kit.kind === 'admin') return job === undefined ? findings : [...findings, ...(await examineJobToSubmit(job))];
  const settings = await readSettings(found, findings);
  for (const port of settings.ports) findings.push(await look('port', () => portFree(port)));
  if (kit.kind === 'site') {
    findings.push(...(await siteFindings(found, settings)));
    findings.push(...(await privacyFindings(settings.workspace)));
  }
  const { workspace, provider } = settings;
  findings.push(...(await examineMachine(workspace, { provider, rights: 'private' })));
  if (job === undefined) return findings;
  return [...findings, ...(kit.kind === 'server' ? [noJobAtServer] : await examineJobAtSite(found, job))];
}

const noJobAtServer: Finding = {
  name: 'job file',
  status: 'problem',
  message: 'not looked at: a server trains nothing, so its kit says nothing of a job',
  hint: 'Look at the job where its sites are, with --kit and the kit of a site; or here, without a kit: `consilium doctor job.yaml`.',
};

/** What the people of a site should know each time that it starts: quick, and nothing is connected to. */
export async function examineSiteStart(folder: string, now = Date.now()): Promise<readonly Finding[]> {
  const kit = await loadKit(resolve(folder), 'site', { now });
  const findings = [await look('certificate', async () => certificate(kit, now))];
  const settings = await readSettings(kit, findings);
  return [...findings, ...(await siteFindings(kit, settings))];
}

/** Of whatever kind it is. */
async function readKit(folder: string, now: number): Promise<Kit> {
  return loadKit(folder, await readKitKind(folder), { now });
}

const dayMs = 24 * 3600 * 1000;
/** Renewing takes people on both ends. */
const soonDays = 30;

function certificate({ name, notAfter }: Kit, now: number): Found {
  const days = Math.floor((notAfter - now) / dayMs);
  const message = `valid until ${isoDay(notAfter)}, ${counted(days, 'day')} from now`;
  if (days > soonDays) return { status: 'ok', message };
  return { status: 'warning', message, hint: `Ask the operator for a new kit: \`consilium provision renew ${name}\`.` };
}

function authority({ caFingerprint, project }: Kit): Found {
  const message = `of the project '${project}', fingerprint ${readableFingerprint(caFingerprint)}`;
  return { status: 'ok', message, hint: 'Compare it once with that of the operator, by telephone or in person.' };
}

async function roster(kit: Kit, now: number): Promise<Found> {
  const file = kit.files.roster!;
  const bytes = await readBounded(file, maxRosterBytes, 'roster');
  const { entries, serial } = verifyRoster(bytes, { ca: kit.tls.ca, project: kit.project, source: file });
  const active = entries.filter(({ status }) => status === 'active');
  const sites = active.filter(({ role }) => role === 'site').length;
  const message = `number ${serial}: ${counted(sites, 'site')} and ${counted(active.length - sites - 1, 'admin')}`;
  const soon = active.filter(({ notAfter }) => Date.parse(notAfter) < now + soonDays * dayMs).map(({ name }) => name);
  if (soon.length === 0) return { status: 'ok', message };
  const hint = `\`consilium provision renew ${soon.slice(0, 5).join(' ')}\``;
  return { status: 'warning', message: `${message}; ${counted(soon.length, 'certificate')} will soon expire`, hint };
}

/** Whether the server could listen there. */
function portFree(port: number): Promise<Found> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE')
        resolve({
          status: 'warning',
          message: `${port} is taken`,
          hint: 'Nothing is wrong if that is this server, running.',
        });
      else
        resolve({
          status: 'problem',
          message: `${port} cannot be listened at (${error.code})`,
          hint: 'Ports below 1024 need special rights.',
        });
    });
    server.listen(port, () => server.close(() => resolve({ status: 'ok', message: `${port} is free` })));
  });
}

/** Each name of the server; one that can be resolved is enough. */
async function addresses({ server, kind }: Kit): Promise<readonly Finding[]> {
  const port = kind === 'admin' ? server.adminPort : server.port;
  const findings = await Promise.all(
    server.hosts.map((host) =>
      look('address', async () => {
        const found = await lookup(host, { all: true }).catch((cause: NodeJS.ErrnoException) => {
          throw new ConfigError(`the server's name '${host}' is not known here (${cause.code})`, {
            hint: "Check this machine's network and DNS, and the name with the operator.",
          });
        });
        return {
          status: 'ok',
          message: `${host}, port ${port}: ${found.map(({ address }) => address).join(', ')}`,
        };
      }),
    ),
  );
  const someKnown = findings.some(({ status }) => status === 'ok');
  return findings.map((finding) =>
    someKnown && finding.status === 'problem' ? { ...finding, status: 'warning' } : finding,
  );
}

async function reached(
  kit: Kit,
  reach: (kit: Kit) => Promise<Reached>,
  now: () => number,
): Promise<readonly Finding[]> {
  let skew: number | undefined;
  const server = await look('server', async () => {
    const start = now();
    const { serverTimeMs } = await reach(kit);
    skew = Math.round((start + now()) / 2 - serverTimeMs);
    return { status: 'ok', message: 'it answers, and lets this kit in' };
  });
  if (skew === undefined) return [server];
  const seconds = (Math.abs(skew) / 1000).toFixed(1);
  const message = `${seconds} s ${skew < 0 ? 'behind' : 'ahead of'} the server's`;
  const clock: Finding =
    Math.abs(skew) < mostSkewMs
      ? { name: 'clock', status: 'ok', message }
      : { name: 'clock', status: 'warning', message, hint: skewHint };
  return [server, clock];
}

/** What server and site may set alike; and where a site's data are, by the field that says so. */
interface Settings {
  readonly workspace: string;
  readonly provider?: string | undefined;
  readonly ports: readonly number[];
  readonly data: readonly (readonly [field: string, path: string])[];
  readonly images?: SiteImages | undefined;
  /** Folder of slices. */
  readonly slices?: string | undefined;
}

/** As the server or the site itself will read them. What is wrong is one of the findings; the defaults stand in for it. */
async function readSettings(kit: Kit, findings: Finding[]): Promise<Settings> {
  const file = kit.files.settings!;
  const of = (bytes: Uint8Array) =>
    kit.kind === 'server' ? serverSettingsOf(bytes, file, kit) : siteSettingsOf(bytes, file);
  let settings = of(new Uint8Array());
  findings.push(
    await look('settings', async () => {
      settings = of(await readBounded(file, maxJobBytes, 'settings'));
      return { status: 'ok', message: file };
    }),
  );
  return settings;
}

function serverSettingsOf(bytes: Uint8Array, file: string, { server }: Kit): Settings {
  const { workspace, port = server.port, metricsPort } = parseServerSettings(bytes, file);
  const ports = [port, ...(server.adminPort === server.port ? [] : [server.adminPort]), metricsPort ?? 0];
  return { workspace: resolve(dirname(file), workspace), ports: ports.filter((one) => one !== 0), data: [] };
}

function siteSettingsOf(bytes: Uint8Array, file: string): Settings {
  const { workspace, provider, data, variables, metricsPort = 0 } = parseSiteSettings(bytes, file);
  const named = Object.entries(data).flatMap(([of, fields]) =>
    Object.entries(fields ?? {}).map(([key, path]) => [`data.${of}.${key}`, path] as const),
  );
  // What is no path cannot be looked at.
  const paths = Object.entries(variables).flatMap(([key, text]) =>
    isAbsolute(text) ? [[`variables.${key}`, text] as const] : [],
  );
  return {
    workspace,
    provider,
    ports: metricsPort === 0 ? [] : [metricsPort],
    data: [...named, ...paths],
    images: data.brats18,
    slices: data.slices?.path,
  };
}

/** Where the site says that its data are, and what it takes part in. */
async function siteFindings({ files }: Kit, { data, images, slices }: Settings): Promise<readonly Finding[]> {
  const policy = await look('policy', async () => {
    const { policy } = await readPolicy(files.policy!);
    const code = typeof policy.code === 'string' ? policy.code : 'approved files only';
    return {
      status: 'ok',
      message: `code of jobs: ${code}; ${counted(policy.filters.length, 'filter')} on what leaves`,
    };
  });
  if (data.length > 0) {
    const found = await Promise.all(data.map(([field, path]) => look('data', () => readable(field, path))));
    const isThere = found.every(({ status }) => status === 'ok');
    if (!isThere) return [policy, ...found];
    const cases = images ? [await look('cases', () => listed(images))] : [];
    const cut = slices === undefined ? [] : [await look('slices', () => listedSlices(slices))];
    return [policy, ...found, ...cases, ...cut];
  }
  const hint = 'Name them under data or variables, unless jobs bring code that finds them.';
  return [policy, { name: 'data', status: 'warning', message: 'site.yaml names no data', hint }];
}

function isoDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
