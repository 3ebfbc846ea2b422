import { Command } from 'commander';
import { type AuditVerdict, verifyAudit } from '../runtime/audit';
import { nodeDisk } from '../util/node-disk';
import { outColours } from './colours';
import { printJson } from './print-json';

interface VerifyFlags {
  readonly expect?: string;
  readonly json?: boolean;
}

/** `consilium audit …`: the audit logs of servers and sites. */
export function auditCommand(): Command {
  return new Command('audit').addCommand(verifyCommand());
}

function verifyCommand(): Command {
  return new Command('verify')
    .description('Check that nothing in an audit log was changed, removed or cut off.')
    .argument('<audit.jsonl>', 'the log; its .head.json lies beside it')
    .option('--expect <sha256>', 'a hash that was noted before: it must be in the log')
    .option('--json', '{whole, records, lastHash, first, last, tornBytes}, or {whole: false, record, problem}')
    .exitOverride()
    .addHelpText(
      'after',
      `
Example:
  npx consilium audit verify workspace/audit.jsonl

Note the last hash somewhere else now and then: whoever can write both files can forge a whole new log.
Exit codes: 0 it is whole, 1 it is not.`,
    )
    .action(async (file: string, { expect, json }: VerifyFlags) => {
      const verdict = await verifyAudit(file, nodeDisk, expect);
      if (json) printJson(verdict);
      else process.stdout.write(`${inWords(verdict)}\n`);
      if (!verdict.whole) process.exitCode = 1;
    });
}

function inWords(verdict: AuditVerdict): string {
  if (!verdict.whole) return `${outColours.red('not whole')}: record ${verdict.record}: ${verdict.problem}`;
  const { records, first, last, lastHash, tornBytes } = verdict;
  const torn = tornBytes === 0 ? '' : `\n${tornBytes} bytes at its end are of a record that a crash cut off`;
  return `${outColours.green('whole')}: ${records} records${first ? `, ${first} to ${last}` : ''}\nlast hash ${lastHash}${torn}`;
}
