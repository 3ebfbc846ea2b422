import { resolve } from 'node:path';
import { Command } from 'commander';
import { ConfigError } from '../errors';
import { builtInKinds, type KindRule, type Policy, readPolicy } from '../runtime/client/policy';
import { maxSiteBytes } from '../runtime/provision/bundle-format';
import { readBounded } from '../util/read-bounded';
import { sha256Of } from '../util/sha256';
import { printJson } from './print-json';

/** `consilium policy check|approve`. */
export function policyCommand(): Command {
  return new Command('policy').exitOverride().addCommand(checkCommand()).addCommand(approveCommand());
}

function checkCommand(): Command {
  return new Command('check')
    .description("Check a site's policy, and say what it comes to.")
    .argument('<policy.yaml>')
    .option('--json', '{policy, sha256}: the policy with its defaults filled in')
    .exitOverride()
    .addHelpText('after', '\nExample:\n  npx consilium policy check kits/site-1/policy.yaml')
    .action(async (file: string, { json = false }: { readonly json?: boolean }) => {
      const { policy, sha256 } = await readPolicy(resolve(file));
      if (json) printJson({ policy, sha256 });
      else process.stdout.write(`${linesOf(policy).join('\n')}\n`);
    });
}

function approveCommand(): Command {
  return new Command('approve')
    .description('Print the SHA-256 of files of a job, as a policy approves them.')
    .argument('<file...>')
    .option('--json', '{files: [{file, sha256}]}')
    .exitOverride()
    .addHelpText(
      'after',
      `
Example:
  npx consilium policy approve train.py lib.py

Read the files first: what is approved runs at this site with the rights of its user. Every file that comes with a job needs
its own line, files that others import included. One changed byte is another file.`,
    )
    .action(async (files: readonly string[], { json = false }: { readonly json?: boolean }) => {
      const approved = await Promise.all(files.map(async (file) => ({ file, sha256: await hashOf(file) })));
      if (json) printJson({ files: approved });
      else process.stdout.write(approvalText(approved));
    });
}

async function hashOf(file: string): Promise<string> {
  const bytes = await readBounded(file, maxSiteBytes, 'file');
  if (bytes.byteLength <= maxSiteBytes) return sha256Of(bytes);
  throw new ConfigError(`The file '${file}' has more than ${maxSiteBytes} bytes, so it cannot come with a job.`);
}

function approvalText(approved: readonly { readonly file: string; readonly sha256: string }[]): string {
  const lines = approved.map(({ file, sha256 }) => `    - ${sha256} # ${file.replace(/\s+/g, ' ')}`);
  return ['# In policy.yaml:', 'code:', '  files:', ...lines, ''].join('\n');
}

/** What a policy comes to, for its people. */
function linesOf(policy: Policy): readonly string[] {
  const { submitters, code, filters, payloads, metrics, limits } = policy;
  const rules = Object.keys(builtInKinds) as KindRule[];
  return [
    ...rules.map(
      (rule) => `${rule.padEnd(11)} ${policy[rule]?.join(', ') ?? 'the built-in ones, and those of approved code'}`,
    ),
    `submitters  ${submitterText(submitters)}`,
    `code        ${codeText(code)}`,
    `leaves      ${[payloads?.join(', ') ?? 'any payload', ...filters.map(({ filter }) => `through ${filter.kind}`)].join(', ')}`,
    `metrics     ${metrics === undefined ? 'all' : metrics.join(', ') || 'none'}`,
    `limits      ${Object.entries(limits)
      .map(([name, value]) => `${name} ${value}`)
      .join(', ')}`,
  ];
}

function submitterText({ names, orgs, roles }: Policy['submitters']): string {
  const all = [
    ...(names ? [`named ${names.join(', ')}`] : []),
    ...(orgs ? [`of ${orgs.join(', ')}`] : []),
    ...(roles ? [`a ${roles.join(' or a ')}`] : []),
  ];
  return all.length === 0 ? 'anybody who may submit jobs' : all.join(', and ');
}

function codeText(code: Policy['code']): string {
  if (code === 'none') return 'none of a job';
  if (code === 'any') return 'ANY: whoever may submit jobs can run programs here';
  return `${code.files.length} approved files, ${code.commands.length} approved command lines`;
}
