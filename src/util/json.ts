import { z } from 'zod';

/** What JSON can say: plain data that survives YAML, a wire and `structuredClone`. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export const json: z.ZodType<Json> = z.json();
