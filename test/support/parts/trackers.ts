import { appendFileSync } from 'node:fs';
import { defineTracker, z } from '../../../src';

/** Writes the kind of every event into a file, and throws where it is told to. */
export const kinds = defineTracker({
  module: __filename,
  kind: 'test/kinds',
  options: z.strictObject({ file: z.string(), throwsAt: z.string().optional() }),
  create: ({ file, throwsAt }) => {
    const note = (what: string) => {
      if (what === throwsAt) throw new Error(`the tracker's server is down (${what})`);
      appendFileSync(file, `${what}\n`);
    };
    note('created');
    return {
      event: async ({ kind }) => note(kind),
      close: async () => note('closed'),
    };
  },
});
