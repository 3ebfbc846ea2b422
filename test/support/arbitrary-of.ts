import fc from 'fast-check';
import { z } from 'zod';

/** Texts that YAML readers like to take for something else. */
const treacherous = [
  'null',
  '~',
  'true',
  'yes',
  'no',
  'on',
  '012',
  '0x1F',
  '1e3',
  '1_000',
  '.nan',
  '-',
  '- a',
  '? a',
  ': b',
  '#c',
  ' # c',
  'a: b',
  'a #b',
  '*a',
  '&a',
  '!t',
  '|',
  '>',
  '%x',
  '@x',
  '`x',
  '"',
  "'",
  "it's",
  '{a}',
  '[a',
  '',
  ' ',
  ' a ',
  '\n',
  'a\nb',
  'a\n\nb ',
  '\ta',
  '---',
  '...',
  '<<',
  '=',
  '2026-01-01',
  '12:30:45',
  '\u0085',
  '\u2028',
  '\ufeffx',
  '\u0007',
  `\${HOME}`,
  `$\${X}`,
  `$$\${}`,
  'ä€😀',
  'x'.repeat(200),
]; // prettier-ignore

/**
 * Inputs of a schema, as a rule valid: kinds, ranges, lists and texts by its JSON Schema. Refinements are not known to it,
 * and kinds of the user's own are left out.
 */
export function arbitraryOf(schema: z.ZodType): fc.Arbitrary<unknown> {
  return of(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Json);
}

/** What draft 2020-12 says of the schemas of this project. */
interface Json {
  readonly anyOf?: readonly Json[];
  readonly oneOf?: readonly Json[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly type?: string;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly exclusiveMaximum?: number;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly prefixItems?: readonly Json[];
  readonly items?: Json;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, Json>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Json | boolean;
}

function of(schema: Json): fc.Arbitrary<unknown> {
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives) return fc.oneof(...alternatives.filter((one) => !isOwnKind(one)).map(of));
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  switch (schema.type) {
    case 'integer':
      return integers(schema);
    case 'number':
      return numbers(schema);
    case 'string':
      return texts(schema);
    case 'boolean':
      return fc.boolean();
    case 'array':
      return lists(schema);
    case 'object':
      return mappings(schema);
    default:
      return fc.jsonValue({ maxDepth: 2 });
  }
}

function isOwnKind({ properties }: Json): boolean {
  return properties?.kind?.pattern !== undefined;
}

function integers({ minimum = Number.MIN_SAFE_INTEGER, exclusiveMinimum, maximum = Number.MAX_SAFE_INTEGER }: Json) {
  const min = Math.max(minimum, exclusiveMinimum === undefined ? minimum : exclusiveMinimum + 1);
  const small = fc.integer({ min, max: Math.min(maximum, Math.max(min, 0) + 40) });
  return fc.oneof(
    { weight: 4, arbitrary: small },
    { weight: 1, arbitrary: fc.maxSafeInteger().filter((n) => n >= min && n <= maximum) },
  );
}

function numbers({ minimum, exclusiveMinimum, maximum, exclusiveMaximum }: Json): fc.Arbitrary<number> {
  return fc.double({
    min: minimum ?? exclusiveMinimum ?? -Number.MAX_VALUE,
    max: maximum ?? exclusiveMaximum ?? Number.MAX_VALUE,
    minExcluded: exclusiveMinimum !== undefined,
    maxExcluded: exclusiveMaximum !== undefined,
    noNaN: true,
  });
}

function texts({ pattern, minLength = 0 }: Json): fc.Arbitrary<string> {
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern));
  const any = fc.oneof(fc.constantFrom(...treacherous), fc.string({ unit: 'binary' }), fc.string());
  return any.filter((text) => text.length >= minLength);
}

function lists({ prefixItems, items, minItems = 0, maxItems = 6 }: Json): fc.Arbitrary<unknown[]> {
  if (prefixItems) return fc.tuple(...prefixItems.map((item) => of(item)));
  return fc.array(of(items ?? {}), {
    minLength: minItems,
    maxLength: Math.max(minItems, Math.min(maxItems, minItems + 5)),
  });
}

function mappings({ properties = {}, required = [], additionalProperties }: Json): fc.Arbitrary<object> {
  const keys = Object.entries(properties);
  const model = Object.fromEntries(keys.map(([key, value]) => [key, of(value)]));
  const own = fc.record(model, { requiredKeys: [...required] });
  if (keys.length > 0 || typeof additionalProperties !== 'object') return own;
  return fc.dictionary(fc.string({ minLength: 1 }), of(additionalProperties), { maxKeys: 4 });
}
