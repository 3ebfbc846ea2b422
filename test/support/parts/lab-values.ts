/** A source of values of a user's own: `count` numbers from the site's configuration on. */
import { z } from 'zod';
import { defineData } from '../../../src/runtime/define-part';

export const labValues = defineData({
  module: __filename,
  kind: 'test/lab-values',
  options: z.strictObject({ count: z.int().positive() }),
  siteConfig: z.number(),
  create: ({ count }, site) => ({
    *features() {
      yield { feature: 'sodium', values: Float64Array.from({ length: count }, (_, i) => site.config + i) };
      yield { feature: 'potassium', values: [Number.NaN, 4] };
    },
  }),
});
