/**
 * `server.yaml` in the kit of a server: what its operator may set. Everything has a default.
 *
 * @module
 */
import { z } from 'zod';
import { parseYaml } from '../../jobs/read-yaml';

const seconds = z
  .number()
  .positive()
  .finite()
  .max(366 * 24 * 3600);
const port = z.int().min(0).max(65_535);

export const serverSettings = z
  .strictObject({
    workspace: z
      .string()
      .min(1)
      .default('workspace')
      .describe("Folder of jobs, logs and the audit log. A relative path starts from the kit's folder."),
    host: z.string().min(1).optional().describe('Address to listen at. All addresses of this machine when absent.'),
    port: port.optional().describe('Port to listen at. That of the kit, which sites dial, when absent; 0 takes any.'),
    metricsHost: z
      .string()
      .min(1)
      .default('127.0.0.1')
      .describe('Address of `/metrics` and `/healthz`, which are plain HTTP: open it to monitoring only.'),
    metricsPort: port
      .nullable()
      .default(9464)
      .describe('Port of `/metrics` and `/healthz`; 0 takes any, null switches them off.'),
    maxJobs: z.int().positive().max(1000).default(4).describe('Jobs that run at one time; the others wait.'),
    allowCode: z
      .enum(['never', 'admins', 'everyone'])
      .default('never')
      .describe(
        "Whose jobs may bring modules of their own (aggregators, workflows, filters), which are run in the server's process: nobody's, those that an admin has signed, or everyone's. Scripts and programs that train run at sites only and are not meant.",
      ),
    heartbeatSeconds: seconds.default(10).describe('Something is said on every connection at least this often.'),
    deadSeconds: seconds
      .default(60)
      .describe('A site or a user that was silent for so long is disconnected; a site connects anew by itself.'),
    siteLostSeconds: seconds
      .default(600)
      .describe(
        'A site that was out of touch for so long is lost: no round waits for it, if the others are enough; otherwise it is waited for until the deadline of the round. It may come back at any time.',
      ),
    stallSeconds: seconds
      .default(300)
      .describe('A job in which nothing has happened for so long says whom it waits for, and since when.'),
    shutdownSeconds: seconds
      .default(10)
      .describe('How long a server that was told to stop may take to flush its state; then it ends at once.'),
  })
  .refine(({ heartbeatSeconds, deadSeconds }) => heartbeatSeconds < deadSeconds, {
    path: ['deadSeconds'],
    message: 'has to be longer than heartbeatSeconds',
  });
export type ServerSettings = z.output<typeof serverSettings>;

/** @throws ConfigError that lists every problem with its place. */
export function parseServerSettings(bytes: Uint8Array, source: string): ServerSettings {
  return parseYaml(bytes, serverSettings as z.ZodType<ServerSettings>, {
    source,
    what: 'settings file',
    hint: 'docs/reference/server.md lists the settings.',
  });
}
