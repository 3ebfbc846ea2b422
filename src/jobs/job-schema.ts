/**
 * The shape of a job file, for editors.
 *
 * @module
 */
import { z } from 'zod';
import { jobSpec } from './job-spec';

/** A JSON Schema as plain data. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * The JSON Schema (draft 2020-12) of a job file: keys, kinds, ranges, defaults and what they mean. What only a check of the
 * whole job can tell, such as sizes that fit the network, is not in it.
 */
export function jobSchemaJson(): JsonSchema {
  const { $schema, ...rest } = z.toJSONSchema(jobSpec, {
    io: 'input',
    target: 'draft-2020-12',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      // The largest exact number: true of every whole number, and noise to a reader.
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
    },
  });
  return { $schema, title: 'Consilium job', ...rest };
}

/** {@link jobSchemaJson} as the text of a file. Equal for equal versions of the library. */
export function jobSchemaText(): string {
  return `${JSON.stringify(jobSchemaJson(), undefined, 2)}\n`;
}
