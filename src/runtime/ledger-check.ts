/**
 * Whether a site's accounts of privacy can be used: its own over all jobs, and that of each job.
 *
 * @module
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, workspaceError } from '../util/atomic-file';
import { counted } from '../util/counted';
import { type Finding, look } from './machine-check';
import { checkLedger } from './site-ledger';

/** One line where all are whole, else one for each that is not. Nothing is changed: the site may be running. */
export async function privacyFindings(workspace: string): Promise<readonly Finding[]> {
  const folders = [workspace];
  const ledgers: { readonly entries: number }[] = [];
  const fine = { status: 'ok', message: '' } as const;
  const looked = [
    await look('privacy', async () => {
      folders.push(...(await jobFolders(join(workspace, 'jobs'))));
      return fine;
    }),
  ];
  for (const folder of folders) {
    const one = await look('privacy', async () => {
      const ledger = await checkLedger(folder);
      if (ledger) ledgers.push(ledger);
      return fine;
    });
    looked.push(one);
  }
  const bad = looked.filter(({ status }) => status !== 'ok');
  if (bad.length > 0) return bad;
  const booked = ledgers.reduce((sum, { entries }) => sum + entries, 0);
  const whole = `${counted(ledgers.length, 'account')} can be read, with ${counted(booked, 'charge')} in all`;
  return [{ name: 'privacy', status: 'ok', message: ledgers.length === 0 ? 'nothing was spent yet' : whole }];
}

async function jobFolders(folder: string): Promise<readonly string[]> {
  try {
    const found = await readdir(folder, { withFileTypes: true });
    return found.filter((one) => one.isDirectory()).map(({ name }) => join(folder, name));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw workspaceError('read', folder, error);
  }
}
