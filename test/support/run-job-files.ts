/**
 * Runs job files one after the other, in a process of its own, as a user's would be: `ts-node run-job-files.ts <workspace>
 * <job.yaml>…`. Prints one JSON object by file: its hash and the final model's.
 */
import { dirname, resolve } from 'node:path';
import { jobHash, readJobFile, SimEnv } from '../../src';

async function main([workspace, ...files]: readonly string[]): Promise<void> {
  const ran: Record<string, object> = {};
  for (const file of files) {
    const folder = dirname(resolve(file));
    try {
      const job = await readJobFile(file, { folder });
      const { finalModelSha256 } = await new SimEnv({ workspace: workspace! }).run(job, { folder }).result();
      ran[file] = { hash: jobHash(job), model: finalModelSha256 };
    } catch (error) {
      ran[file] = { error: error instanceof Error ? error.message : String(error) };
    }
  }
  process.stdout.write(`${JSON.stringify(ran)}\n`);
}

void main(process.argv.slice(2));
