/**
 * What a schema allows, in words.
 *
 * @module
 */
import { z } from 'zod';

/** For a message: `a whole number above 0`, `one of 'mean', 'sum'`. */
export function allowedBy(schema: z.ZodType): string {
  return inWords(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', cycles: 'ref' }));
}

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** The same for a JSON Schema. */
export function inWords(schema: JsonSchema): string {
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives) return [...new Set(alternatives.map(inWords))].join(', or ');
  if (schema.const !== undefined) return show(schema.const);
  if (schema.enum) return `one of ${schema.enum.map(show).join(', ')}`;
  switch (schema.type) {
    case 'integer':
      return `a whole number${bounds(schema)}`;
    case 'number':
      return `a number${bounds(schema)}`;
    case 'string':
      return schema.minLength === 1 ? 'a text that is not empty' : 'a text';
    case 'boolean':
      return 'true or false';
    case 'array':
      return listInWords(schema);
    case 'object':
      return mappingInWords(schema);
    case 'null':
      return 'nothing';
    default:
      return 'plain data';
  }
}

function bounds({ minimum, exclusiveMinimum, maximum, exclusiveMaximum }: JsonSchema): string {
  const limits = [
    exclusiveMinimum === undefined ? [] : [`above ${exclusiveMinimum}`],
    minimum === undefined || minimum <= Number.MIN_SAFE_INTEGER ? [] : [`of at least ${minimum}`],
    exclusiveMaximum === undefined ? [] : [`below ${exclusiveMaximum}`],
    maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? [] : [`at most ${maximum}`],
  ].flat();
  return limits.map((limit, i) => `${i === 0 ? ' ' : ', '}${limit}`).join('');
}

function listInWords({ prefixItems, items, minItems, maxItems }: JsonSchema): string {
  if (prefixItems) {
    const kinds = [...new Set(prefixItems.map((one) => inWords(one as JsonSchema)))];
    return `a list of ${prefixItems.length}, ${kinds.length === 1 ? 'each ' : ''}${kinds.join(', ')}`;
  }
  const least = minItems ?? 0;
  const size =
    least === maxItems ? `of ${least}` : least > 1 ? `of ${least} or more` : least === 1 ? 'of one or more' : undefined;
  const what = typeof items === 'object' && !Array.isArray(items) ? inWords(items as JsonSchema) : 'plain data';
  const most = maxItems === undefined || least === maxItems ? '' : `, at most ${maxItems}`;
  return `a list${size === undefined ? '' : ` ${size}`}${most}, each ${what}`;
}

function mappingInWords({ properties = {}, additionalProperties }: JsonSchema): string {
  const keys = Object.keys(properties);
  if (keys.length > 0) return `a mapping with the key${keys.length === 1 ? '' : 's'} ${keys.join(', ')}`;
  const what = typeof additionalProperties === 'object' ? inWords(additionalProperties) : 'plain data';
  return `a mapping, each value ${what}`;
}

function show(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : String(value);
}
