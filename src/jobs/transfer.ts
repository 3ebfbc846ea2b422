import { z } from 'zod';

export const transfer = z
  .enum(['weight-diff', 'weights'])
  .default('weight-diff')
  .describe('Whether a site answers with the difference to the received weights, or with its weights.');
export type Transfer = z.output<typeof transfer>;
