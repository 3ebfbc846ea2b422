import { writeMultiContrastPhantom } from '../imaging/phantom/multi-contrast/write-multi-contrast-phantom';
import { writeBratsPhantom } from '../imaging/phantom/write-brats-phantom';
import type { DataSpec } from '../jobs/data-spec';
import type { RunEvent } from '../jobs/environment';
import { dataFolders, slicePhantomFolder } from './job-data';

/** Writes a job's synthetic data into the workspace, once, and says so. Real data are left alone. */
export async function prepareData(data: DataSpec, workspace: string, emit: (event: RunEvent) => void): Promise<void> {
  const tell = (folder: string, flags: string) => {
    const message = `The data are SYNTHETIC (a seeded phantom in ${folder}); use ${flags} for real data.`;
    emit({ kind: 'log', level: 'info', message });
  };
  if (data.kind === 'multi-contrast-phantom') {
    const out = slicePhantomFolder(data, workspace);
    tell(out, '--data_dir');
    const { sites, patientsPerSite, shape, seed } = data;
    await writeMultiContrastPhantom({ out, sites, patientsPerSite, shape, seed });
  }
  if (data.kind !== 'brats18-phantom') return;
  const { baseDir } = dataFolders(data, workspace);
  tell(baseDir, '--dataset_base_dir and --datalist_json_path');
  const { sites, casesPerSite, validationCases, shape, seed } = data;
  await writeBratsPhantom({ out: baseDir, sites, casesPerSite, validationCases, shape, seed });
}
