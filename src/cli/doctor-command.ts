import { Command, Option } from 'commander';
import { ConfigError } from '../errors';
import { examine } from '../runtime/doctor';
import { examineKit } from '../runtime/kit-doctor';
import type { Finding } from '../runtime/machine-check';
import { reachServer } from '../runtime/reach-server';
import { outColours } from './colours';
import { printJson } from './print-json';

interface DoctorFlags {
  readonly kit?: string;
  readonly workspace?: string;
  readonly json?: boolean;
}

const marks = {
  ok: outColours.green('ok  '),
  warning: outColours.yellow('look'),
  problem: outColours.red('bad '),
} as const;

/** `consilium doctor [job.yaml]`: whether this machine can run jobs, this job, or what a startup kit is for. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .argument(
      '[job.yaml]',
      "a job whose data, scripts, execution provider and resources are looked at too; with a site's kit, as that site would",
    )
    .option('--workspace <dir>', 'where runs would go (./consilium-workspace)')
    .addOption(
      new Option(
        '--kit <dir>',
        "a startup kit: its signature, key, dates, addresses and settings, the server, its version and its clock, a site's accounts of privacy, and this machine",
      ).conflicts('workspace'),
    )
    .option('--json', '{ok, findings: [{name, status, message, hint}]}')
    .exitOverride()
    .addHelpText(
      'after',
      '\nExamples:\n  npx consilium doctor job.yaml\n  npx consilium doctor --kit kits/site-1\n  npx consilium doctor job.yaml --kit kits/site-1\n\nExit codes: 0 nothing stands in the way, 2 something does.',
    )
    .action(async (file: string | undefined, { kit, workspace, json }: DoctorFlags) => {
      const findings =
        kit === undefined
          ? await examine({ ...(file !== undefined && { file }), ...(workspace !== undefined && { workspace }) })
          : await examineKit(kit, { reach: reachServer, ...(file !== undefined && { job: file }) });
      const problems = findings.filter(({ status }) => status === 'problem');
      if (json) printJson({ ok: problems.length === 0, findings });
      else process.stdout.write(findings.map(line).join(''));
      if (problems.length > 0) {
        throw new ConfigError(
          `${problems.length === 1 ? 'One thing stands' : `${problems.length} things stand`} in the way.`,
        );
      }
    });
}

function line({ name, status, message, hint }: Finding): string {
  return `${marks[status]} ${name}: ${message}\n${hint === undefined ? '' : `     ${outColours.dim('→')} ${hint}\n`}`;
}
