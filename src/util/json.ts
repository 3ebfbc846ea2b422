import { z } from 'zod';

/** What JSON can say: plain data that survives YAML, a wire and `structuredClone`. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

const refusedKeys = ['__proto__', 'constructor', 'prototype'];

/** Keys that could reach an object's prototype are refused, at every level. */
export const json: z.ZodType<Json> = z.json().refine(hasPlainKeys, {
  error: `${refusedKeys.map((key) => `'${key}'`).join(', ')} are not allowed as keys`,
});

function hasPlainKeys(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([key, inner]) => !refusedKeys.includes(key) && hasPlainKeys(inner));
}
