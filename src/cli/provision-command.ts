/**
 * `consilium provision …`: who takes part in a federation, as an operator decides it.
 *
 * @module
 */
import { Command, Option } from 'commander';
import { ConfigError, isConsiliumError, WorkspaceError } from '../errors';
import { readProject } from '../runtime/provision/project';
import { type ProjectReport, showProject } from '../runtime/provision/project-report';
import { addParticipant, provision, renew, revoke } from '../runtime/provision/provision';
import { requestKit, signRequest } from '../runtime/provision/request';
import { printJson } from './print-json';
import { provisionText, rosterStep } from './provision-text';

interface OutFlags {
  readonly out: string;
  readonly json?: boolean;
}

const outMeaning = "the operator's folder: ca/ with the authority's key, which never leaves it, and kits/";
const jsonMeaning =
  '{project, out, caFingerprint, caNotAfter, serial, roster, kits: [{name, kind, role, org, state, folder, fingerprint, notAfter}]}';
const exitCodes = '\nExit codes: 0 done, 1 failed, 2 wrong flags or project, or not allowed; nothing was changed then.';

export function provisionCommand(): Command {
  return (
    new Command('provision')
      .argument('<project.yaml>', 'who takes part: docs/guide/provisioning.md')
      .option('--out <dir>', outMeaning)
      .option('--json', jsonMeaning)
      // Options after the name of an inner command are that command's.
      .enablePositionalOptions()
      .exitOverride()
      .addHelpText(
        'after',
        `\nCalled again, it makes what is missing and leaves the rest as it is.\n\nExamples:\n  npx consilium provision examples/federation/project.yaml --out federation\n  npx consilium provision show federation${exitCodes}`,
      )
      .action(async (file: string, { out, json }: Partial<OutFlags>) => {
        if (out === undefined) {
          const hint = `npx consilium provision ${file} --out federation`;
          throw new ConfigError('--out is missing: the folder where the authority and the kits go.', { hint });
        }
        const project = await readProject(file);
        report(await inFolderOf('--out', () => provision(project, out)), { json: json === true });
      })
      .addCommand(showCommand())
      .addCommand(addSiteCommand())
      .addCommand(addAdminCommand())
      .addCommand(revokeCommand())
      .addCommand(renewCommand())
      .addCommand(requestCommand())
      .addCommand(signCommand())
  );
}

function showCommand(): Command {
  return new Command('show')
    .description('Who takes part, in which role, until when, and the fingerprints to compare.')
    .argument('<dir>', 'the --out of provision')
    .option('--json', jsonMeaning)
    .exitOverride()
    .addHelpText('after', `\nExample:\n  npx consilium provision show federation${exitCodes}`)
    .action(async (out: string, { json }: { readonly json?: boolean }) => {
      const project = await showProject(out);
      if (json) printJson(project);
      else process.stdout.write(provisionText(project, { fingerprints: true }));
    });
}

/** A command that changes a project and then says what there is. */
function changing(name: string, description: string, example: string): Command {
  return new Command(name)
    .description(description)
    .requiredOption('--out <dir>', outMeaning)
    .option('--json', jsonMeaning)
    .exitOverride()
    .addHelpText('after', `\nExample:\n  npx consilium provision ${name} ${example}${exitCodes}`);
}

interface ParticipantFlags extends OutFlags {
  readonly org: string;
}

function addSiteCommand(): Command {
  return changing(
    'add-site',
    'Add a site: its kit and a line on the roster.',
    "site-5 --org 'West Hospital' --out federation",
  )
    .argument('<name>', 'lower-case letters, digits and dashes')
    .requiredOption('--org <name>', 'its organisation')
    .action(async (name: string, { org, ...flags }: ParticipantFlags) => {
      report(await inFolderOf('--out', () => addParticipant(flags.out, { name, org, role: 'site' })), flags);
    });
}

type AdminRole = 'admin' | 'researcher' | 'site-admin';

/** @param others roles besides those of people */
function roleOption(...others: readonly string[]): Option {
  return new Option(
    '--role <role>',
    'admin: everything; researcher: jobs of their own; site-admin: their own site',
  ).choices([...others, 'admin', 'researcher', 'site-admin']);
}

function addAdminCommand(): Command {
  return changing(
    'add-admin',
    'Add a person: their kit and a line on the roster.',
    "ada --org 'West Hospital' --role researcher --out federation",
  )
    .argument('<name>', 'lower-case letters, digits and dashes')
    .requiredOption('--org <name>', 'their organisation')
    .addOption(roleOption().makeOptionMandatory())
    .action(async (name: string, { org, role, ...flags }: ParticipantFlags & { readonly role: AdminRole }) => {
      report(await inFolderOf('--out', () => addParticipant(flags.out, { name, org, role })), flags);
    });
}

function revokeCommand(): Command {
  return changing(
    'revoke',
    'Take sites or people off the roster: the server disconnects them once it has the new one.',
    'site-5 --out federation',
  )
    .argument('<names...>')
    .action(async (names: readonly string[], flags: OutFlags) => {
      report(await inFolderOf('--out', () => revoke(flags.out, names)), flags);
    });
}

function renewCommand(): Command {
  return changing(
    'renew',
    'New keys and certificates under the same names; those before are no longer let in.',
    'site-1 --out federation',
  )
    .argument('<names...>')
    .action(async (names: readonly string[], flags: OutFlags) => {
      report(await inFolderOf('--out', () => renew(flags.out, names)), flags);
    });
}

interface RequestFlags {
  readonly org: string;
  readonly role: AdminRole | 'site';
  readonly kit: string;
  readonly json?: boolean;
}

function requestCommand(): Command {
  return new Command('request')
    .description('At a site, or by a person: make a key that never leaves this machine, and a request for a kit to it.')
    .argument('<name>', 'lower-case letters, digits and dashes')
    .requiredOption('--org <name>', 'your organisation')
    .addOption(roleOption('site').default('site'))
    .requiredOption('--kit <dir>', 'a new folder; it becomes the kit')
    .option('--json', '{key, request}')
    .exitOverride()
    .addHelpText(
      'after',
      `\nExample:\n  npx consilium provision request site-5 --org 'West Hospital' --kit my-kit${exitCodes}`,
    )
    .action(async (name: string, { org, role, kit, json }: RequestFlags) => {
      const files = await inFolderOf('--kit', () => requestKit(kit, { name, org, role }));
      if (json) return printJson(files);
      process.stdout.write(
        `Key: ${files.key}. It stays here.\nRequest: ${files.request}. Send it to the operator, who signs it and sends back a kit without a key.\nThen copy the files of that kit into ${kit}, and check it: npx consilium doctor --kit ${kit}\n`,
      );
    });
}

function signCommand(): Command {
  return changing(
    'sign',
    'Make the kit that a request asks for; the key stays with who asked.',
    'request.json --out federation',
  )
    .argument('<request.json>', 'what `provision request` has made, from somebody you know it is from')
    .option('--again', 'the name is on the roster already, and gets a new certificate')
    .action(async (file: string, { again = false, ...flags }: OutFlags & { readonly again?: boolean }) => {
      report(await inFolderOf('--out', () => signRequest(flags.out, file, { again })), flags);
    });
}

/** What file systems refuse is told with the flag of a run's folder, and of rounds: here is another flag, and no round. */
async function inFolderOf<T>(flag: '--out' | '--kit', work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isConsiliumError(error, 'WorkspaceError') || error.hint === undefined) throw error;
    const hint = error.hint
      .replace('--workspace', flag)
      .replace('continue with --resume', 'give the command again')
      .replace(' Finished rounds are kept.', '');
    throw new WorkspaceError(error.message, { cause: error.cause, hint });
  }
}

function report(project: ProjectReport, { json }: { readonly json?: boolean }): void {
  if (json) printJson(project);
  else process.stdout.write(`${provisionText(project)}\n${rosterStep(project)}`);
}
