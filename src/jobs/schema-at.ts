/**
 * Finding one's way in a schema: which part of it holds at a path of an input.
 *
 * @module
 */
import { z } from 'zod';
import { type PartSlot, slotOf } from './own-part';
import type { Path } from './yaml-document';

/**
 * The schema of the field at `path`, without its default; undefined where the schema knows no such field. Where kinds decide,
 * the input says which one is meant.
 */
export function schemaAt(schema: z.ZodType, input: unknown, path: Path): z.ZodType | undefined {
  let at: z.ZodType | undefined = plainSchema(schema);
  let value = input;
  for (const key of path) {
    if (at instanceof z.ZodUnion) at = branchFor(at, value);
    at = at && childOf(at, key);
    value = (value as Record<PropertyKey, unknown> | null | undefined)?.[key];
  }
  return at;
}

/** The schema without what only wraps it: defaults, optional, what is done with the value afterwards. */
export function plainSchema(schema: z.ZodType): z.ZodType {
  for (let at = schema; ; ) {
    if (at instanceof z.ZodPipe) at = at.in as z.ZodType;
    else if (at instanceof z.ZodLazy) at = at.unwrap() as z.ZodType;
    else if (isWrapper(at)) at = at.def.innerType as z.ZodType;
    else return at;
  }
}

function isWrapper(schema: z.ZodType): schema is z.ZodDefault | z.ZodPrefault | z.ZodOptional | z.ZodNullable {
  return ['default', 'prefault', 'optional', 'nullable', 'readonly', 'nonoptional', 'catch'].includes(schema.def.type);
}

/** The alternatives of a union, those of unions in it included. */
export function branchesOf(union: z.ZodUnion): readonly z.ZodType[] {
  return union.options.flatMap((option) => {
    const plain = plainSchema(option as z.ZodType);
    // The option itself, not what is in it: it may do something with the value afterwards.
    return plain instanceof z.ZodUnion ? branchesOf(plain) : [option as z.ZodType];
  });
}

/** The kinds that a union tells apart, in order; empty when it is no union of kinds. */
export function kindsOf(union: z.ZodUnion): readonly string[] {
  return branchesOf(union).flatMap((branch) => {
    const kind = kindSchema(branch);
    return kind instanceof z.ZodLiteral ? [...kind.values].map(String) : [];
  });
}

/** The slot whose parts of the user's own the union takes too, if it does. */
export function ownSlotOf(union: z.ZodUnion): PartSlot | undefined {
  return branchesOf(union)
    .map(slotOf)
    .find((slot) => slot !== undefined);
}

/** The alternative that is meant by the value's kind; for values without one, the first list or mapping as the value is. */
export function branchFor(union: z.ZodUnion, value: unknown): z.ZodType | undefined {
  const branches = branchesOf(union);
  if (Array.isArray(value)) return branches.map(plainSchema).find((one) => one instanceof z.ZodArray);
  if (typeof value !== 'object' || value === null) return undefined;
  const { kind } = value as { readonly kind?: unknown };
  const meant = branches.find((branch) => kindSchema(branch)?.safeParse(kind).success);
  if (meant !== undefined || kindsOf(union).length > 0) return meant;
  return branches.map(plainSchema).find((one) => one instanceof z.ZodObject || one instanceof z.ZodRecord);
}

function kindSchema(branch: z.ZodType): z.ZodType | undefined {
  const plain = plainSchema(branch);
  const kind = plain instanceof z.ZodObject ? (plain.shape as Record<string, z.ZodType>).kind : undefined;
  return kind && plainSchema(kind);
}

function childOf(schema: z.ZodType, key: PropertyKey): z.ZodType | undefined {
  const plain = plainSchema(schema);
  const child =
    plain instanceof z.ZodObject
      ? Object.hasOwn(plain.shape, key)
        ? plain.shape[key as string]
        : undefined
      : plain instanceof z.ZodArray
        ? plain.element
        : plain instanceof z.ZodTuple
          ? plain.def.items[Number(key)]
          : plain instanceof z.ZodRecord
            ? plain.valueType
            : undefined;
  return child && plainSchema(child as z.ZodType);
}
