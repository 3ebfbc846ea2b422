import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { Brats18Recipe } from '../recipes/brats18-recipe';
import { jobSchemaJson, jobSchemaText } from './job-schema';

const { job } = new Brats18Recipe({ nClients: 2, privacy: {} });
const schema = z.fromJSONSchema(jobSchemaJson() as Parameters<typeof z.fromJSONSchema>[0]);

it('is the schema in the repository; if not: node bin/consilium.js job schema > schema/job.schema.json', () => {
  expect(readFileSync(join(__dirname, '../../schema/job.schema.json'), 'utf8')).toBe(jobSchemaText());
});

it('accepts a job, with defaults or without', () => {
  expect(schema.safeParse(job).error).toBeUndefined();
  const { seed, engine, ...least } = job;
  expect(schema.safeParse({ ...least, model: { kind: 'segresnet' } }).error).toBeUndefined();
});

it.each([
  ['an unknown key', { ...job, extra: 1 }],
  ['an unknown kind', { ...job, model: { kind: 'segresnte' } }],
  ['a wrong type', { ...job, workflow: { ...job.workflow, rounds: '3' } }],
  ['a number out of range', { ...job, workflow: { ...job.workflow, rounds: 0 } }],
  ['a missing part', { ...job, workflow: undefined }],
])('refuses %s', (_, input) => {
  expect(schema.safeParse(input).success).toBe(false);
});

it('says what fields mean, and what they are when left out', () => {
  expect(JSON.stringify(jobSchemaJson())).toContain('Residual blocks of each level, downwards.');
  expect(jobSchemaJson().properties).toMatchObject({ seed: { default: 0 } });
});
