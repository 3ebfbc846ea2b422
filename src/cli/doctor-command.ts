import { Command } from 'commander';
import { ConfigError } from '../errors';
import { examine, type Finding } from '../runtime/doctor';
import { outColours } from './colours';
import { printJson } from './print-json';

interface DoctorFlags {
  readonly workspace?: string;
  readonly json?: boolean;
}

const marks = {
  ok: outColours.green('ok  '),
  warning: outColours.yellow('look'),
  problem: outColours.red('bad '),
} as const;

/** `consilium doctor [job.yaml]`: whether this machine can run jobs, or this job. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .argument('[job.yaml]', 'a job whose data, scripts and execution provider are looked at too')
    .option('--workspace <dir>', 'where runs would go (./consilium-workspace)')
    .option('--json', '{ok, findings: [{name, status, message, hint}]}')
    .exitOverride()
    .addHelpText(
      'after',
      '\nExample:\n  npx consilium doctor job.yaml\n\nExit codes: 0 nothing stands in the way, 2 something does.',
    )
    .action(async (file: string | undefined, { workspace, json }: DoctorFlags) => {
      const findings = await examine({
        ...(file !== undefined && { file }),
        ...(workspace !== undefined && { workspace }),
      });
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
