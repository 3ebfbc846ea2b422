import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineTracker, z } from '../../src';

/** Writes the metrics of every site and round as lines of a CSV file, into the folder of the run or one of your choice. */
export const csvTracker = defineTracker({
  module: __filename,
  kind: 'example/csv',
  options: z.strictObject({ folder: z.string().min(1).optional() }),
  create: ({ folder }, run) => {
    const file = join(folder ?? run.folder, `${run.job}.csv`);
    mkdirSync(folder ?? run.folder, { recursive: true });
    writeFileSync(file, 'round,site,metric,value\n');
    return {
      event(event) {
        if (event.kind !== 'metrics') return;
        const { round, site, metrics } = event;
        for (const [name, value] of Object.entries(metrics)) {
          appendFileSync(file, `${round},${site},${name},${value ?? ''}\n`);
        }
      },
    };
  },
});
