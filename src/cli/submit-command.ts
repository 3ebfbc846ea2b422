import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { readJobFile } from '../jobs/job-file';
import { createBundle } from '../runtime/provision/bundle';
import { fileBlob } from '../transport/blobs';
import { nodeDisk } from '../util/node-disk';
import { followLines, reportEnd } from './follow-lines';
import { submittedText } from './job-lines';
import { printJson } from './print-json';
import { askingCommand, type KitFlags, withServer } from './with-server';

interface SubmitFlags extends KitFlags {
  readonly include?: readonly string[];
  readonly follow?: boolean;
}

/** `consilium submit <job.yaml>`: hands a job to the server. */
export function submitCommand(): Command {
  return askingCommand(
    'submit',
    '{job, state, created}; with --follow also reason, once it has ended',
    'npx consilium submit job.yaml --kit out/kits/ada --follow',
  )
    .argument('<job.yaml>')
    .option('--include <file...>', "more files for the sites, from the job's folder: what scripts import themselves")
    .option('--follow', 'print what happens until the job has ended')
    .addHelpText(
      'after',
      `
The job and its files are signed with your kit. Code and included files behind a link out of the job's folder are refused:
what such a link names was perhaps never meant to leave. The same content again answers with the job that is there;
\`consilium clone\` runs it anew. Exit code 1 with --follow: the job did not finish.`,
    )
    .action(submit);
}

async function submit(file: string, flags: SubmitFlags): Promise<void> {
  const folder = dirname(resolve(file));
  const job = await readJobFile(file, { folder, forSites: true });
  const temporary = await mkdtemp(join(tmpdir(), 'consilium-'));
  const bundleFile = join(temporary, 'bundle');
  try {
    await withServer(flags, async ({ client, kit, kitWord, connect, signal }) => {
      const include = flags.include ?? [];
      const { sha256, size, hash } = await createBundle(job, { folder, kit, include }, bundleFile, nodeDisk);
      const bundle = fileBlob(nodeDisk, bundleFile, { sha256, size });
      client.offer(bundle);
      const submitted = await client.call('submit', { bundle: bundle.ref, hash }, signal).finally(() => bundle.close());
      if (!flags.json) process.stdout.write(submittedText(submitted, kitWord));
      if (!flags.follow) return flags.json && printJson(submitted);
      const end = await followLines(
        submitted.job,
        { connect, signal, kitWord },
        flags.json ? process.stderr : process.stdout,
      );
      if (flags.json) printJson({ ...submitted, ...end });
      reportEnd(submitted.job, end);
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}
