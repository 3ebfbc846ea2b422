import { writeBratsPhantom } from '../imaging/phantom/write-brats-phantom';
import type { DataSpec } from '../jobs/data-spec';
import type { RunEvent } from '../jobs/environment';
import { dataFolders } from './job-data';

/** Writes a job's synthetic data into the workspace, once, and says so. Real data are left alone. */
export async function prepareData(data: DataSpec, workspace: string, emit: (event: RunEvent) => void): Promise<void> {
  if (data.kind !== 'brats18-phantom') return;
  const { baseDir } = dataFolders(data, workspace);
  emit({
    kind: 'log',
    level: 'info',
    message: `The data are SYNTHETIC (a seeded phantom in ${baseDir}); use --dataset_base_dir and --datalist_json_path for real data.`,
  });
  const { sites, casesPerSite, validationCases, shape, seed } = data;
  await writeBratsPhantom({ out: baseDir, sites, casesPerSite, validationCases, shape, seed });
}
