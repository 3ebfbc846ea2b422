/**
 * A project: who takes part in a federation, as one file that its operator writes.
 *
 * @module
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import { ConfigError } from '../../errors';
import { explain } from '../../jobs/job-problems';
import { parseYaml } from '../../jobs/read-yaml';
import { maxJobBytes } from '../../jobs/yaml-guard';
import { readBounded } from '../../util/read-bounded';
import { longestLeafDays } from './authority';
import { namePattern, nameRule } from './certificate';

const name = z.string().regex(namePattern, nameRule);

/** Of a certificate's subject, which holds at most 64 characters. */
const org = z
  .string()
  .regex(/^(?!\s)[^\p{C}\p{Zl}\p{Zp}]{1,64}$/u, 'the name of an organisation, 1 to 64 characters on one line')
  .describe('Organisation.');

const hostRule = 'a name such as fl.example.org, or an IP address; no port, no https://';
const host = z.string().refine(isHost, hostRule);
const port = z.int().min(1).max(65_535);

const server = z
  .strictObject({
    name: name.default('server'),
    org: org.optional(),
    hosts: z
      .array(host)
      .nonempty()
      .max(50)
      .describe('Every name and number by which sites and admins reach the server, the first choice first.'),
    port: port.default(8443).describe('Where sites dial.'),
    adminPort: port.optional().describe('Where admins dial, when that is another port.'),
  })
  .describe('The one server.');

const site = z.strictObject({ name, org });
const adminRole = z
  .enum(['admin', 'researcher', 'site-admin'])
  .describe('admin: everything; researcher: jobs of their own; site-admin: what happens at the sites of their org.');
const admin = z.strictObject({ name, org, role: adminRole });

/** Somebody who takes part, and is not the server. */
export const participantSpec = z.strictObject({ name, org, role: z.enum(['site', ...adminRole.options]) });
export type Participant = z.output<typeof participantSpec>;

export const projectSpec = z
  .strictObject({
    version: z.literal(1).describe('Version of this format.'),
    project: name.describe('Name of the project.'),
    server,
    sites: z.array(site).max(10_000).default([]),
    admins: z.array(admin).max(10_000).default([]),
    validityDays: z
      .int()
      .min(1)
      .max(longestLeafDays)
      .default(365)
      .describe(`How long a kit is valid, days, at most ${longestLeafDays}; then it is renewed.`),
  })
  .superRefine(checkNames);

export type Project = z.output<typeof projectSpec>;
export type ProjectInput = z.input<typeof projectSpec>;
export type Admin = Project['admins'][number];

/** @throws ConfigError for a name or an organisation that no certificate can have. */
export function checkParticipant(participant: Participant): void {
  const problems = explain(participantSpec, participant);
  if (problems.length === 0) return;
  throw new ConfigError(problems.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n'), {
    hint: 'Correct the name, the role or the organisation.',
  });
}

/** Everybody's name is an identity of its own. */
function checkNames({ server, sites, admins }: Project, context: z.RefinementCtx): void {
  const seen = new Set<string>();
  const all = [
    { path: ['server', 'name'], name: server.name },
    ...sites.map(({ name }, i) => ({ path: ['sites', i, 'name'], name })),
    ...admins.map(({ name }, i) => ({ path: ['admins', i, 'name'], name })),
  ];
  for (const { path, name } of all) {
    if (seen.has(name))
      context.addIssue({ code: 'custom', path, message: `the name '${name}' stands here a second time` });
    seen.add(name);
  }
}

function isHost(text: string): boolean {
  if (isIP(text) !== 0) return true;
  const labels = text.split('.');
  const isName = labels.every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(label));
  // A name that ends in a number is an address that is wrong.
  return text.length <= 253 && isName && !/^\d+$/.test(labels.at(-1) ?? '');
}

/** Reads a project file. @throws ConfigError that lists every mistake with line and column. */
export async function readProject(path: string): Promise<Project> {
  return parseProject(await readBounded(path, maxJobBytes, 'project file'), path);
}

/** @param source how messages call the file */
export function parseProject(bytes: Uint8Array, source: string): Project {
  return parseYaml(bytes, projectSpec, {
    source,
    what: 'project',
    hint: 'Correct the places named above; docs/guide/provisioning.md shows a project.',
  });
}
