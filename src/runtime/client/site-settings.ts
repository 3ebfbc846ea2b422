/**
 * What a site's people say of their machine in `site.yaml`: where its data lie, what it has to offer.
 *
 * @module
 */
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { parseYaml } from '../../jobs/read-yaml';
import { maxJobBytes } from '../../jobs/yaml-guard';
import { json } from '../../util/json';
import { readBounded } from '../../util/read-bounded';

const path = z.string().min(1).max(4096).describe('A relative path starts from the folder of site.yaml.');
const seconds = z.number().positive().max(86_400);

const siteData = z
  .strictObject({
    brats18: z
      .strictObject({
        baseDir: path.describe('Folder that the paths of the data list start from.'),
        datalist: path.describe("This site's data list, a JSON file."),
      })
      .optional(),
    csv: z.strictObject({ path: path.describe("This site's table.") }).optional(),
    slices: z
      .strictObject({
        path: path.describe(
          "This site's slices: {train,validation,test}/{t1,t2,flair,mask}/patient-<id>-slice<n>.npy in this folder.",
        ),
      })
      .optional(),
  })
  .describe('By kind of data: where this site has them. What a job says of folders and files means nothing here.');

export const siteSettingsSpec = z.strictObject({
  version: z.literal(1).default(1).describe('Version of this format.'),
  workspace: path.default('workspace').describe('Where this site keeps jobs, logs and its account of privacy.'),
  slots: z.int().min(1).max(64).default(1).describe('Jobs that train here at one time.'),
  sessionThreads: z
    .int()
    .min(1)
    .max(8)
    .optional()
    .describe("Threads of one session. The job's, or cores by slots, when absent."),
  provider: z
    .string()
    .regex(/^(cpu|webgpu|cuda(:\d+)?)$/, 'cpu, webgpu, cuda or cuda:<device>')
    .optional()
    .describe("Execution provider. The job's when absent."),
  memoryMb: z.int().positive().optional().describe("Memory for jobs, MB. This machine's when absent."),
  data: siteData.prefault({}),
  variables: z
    .record(
      z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'letters, digits and underscores, no digit first'),
      z.string().min(1),
    )
    .default({})
    .describe(`What \${NAME} in the data of a job stands for here.`),
  siteConfig: z
    .record(z.string(), json)
    .default({})
    .describe("What training code finds as its site's configuration, key by key over what the job says of this site."),
  metricsPort: z
    .int()
    .min(0)
    .max(65_535)
    .optional()
    .describe('Port of /healthz and /metrics, for this machine alone. None when absent; 0 takes any that is free.'),
  reconnectMaxSeconds: seconds.default(30).describe('Longest pause between two attempts to reach the server.'),
  shutdownSeconds: seconds.default(10).describe('Time to end in order.'),
});
export type SiteSettings = z.output<typeof siteSettingsSpec>;

/** Reads `site.yaml`; its paths are absolute then. @throws ConfigError that lists every mistake with line and column. */
export async function readSiteSettings(file: string): Promise<SiteSettings> {
  return parseSiteSettings(await readBounded(file, maxJobBytes, "site's settings"), file);
}

/** @param file its path: how messages call it, and what relative paths start from. */
export function parseSiteSettings(bytes: Uint8Array, file: string): SiteSettings {
  const settings = parseYaml(bytes, siteSettingsSpec, {
    source: file,
    what: "site's settings",
    hint: 'Correct the places named above; docs/reference/site.md lists them all.',
  });
  const at = (one: string) => resolve(dirname(file), one);
  const { brats18, csv, slices } = settings.data;
  return {
    ...settings,
    workspace: at(settings.workspace),
    data: {
      ...(brats18 && { brats18: { baseDir: at(brats18.baseDir), datalist: at(brats18.datalist) } }),
      ...(csv && { csv: { path: at(csv.path) } }),
      ...(slices && { slices: { path: at(slices.path) } }),
    },
  };
}
