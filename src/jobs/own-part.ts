/**
 * Parts that a user adds: a filter, an aggregator, a workflow, a trainer, a model, a data set or a tracker of their own, in a
 * file of their own. A job names the part by its kind and lists the file among its `modules`, so that a worker or a site can
 * load it too.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { ConfigError } from '../errors';
import type { Json } from '../util/json';
import { didYouMean } from '../util/nearest';
import { sha256Of } from '../util/sha256';
import { checkOptions, type OptionsSchema } from './options-schema';

/** Where a part stands in a job. */
export type PartSlot = 'filter' | 'aggregator' | 'workflow' | 'trainer' | 'model' | 'data' | 'tracker';

/** `<who>/<name>`, such as `st-marys/norm-clip`: the slash keeps it apart from every built-in kind, of today and later. */
export type OwnKind = `${string}/${string}`;

/** A part of the user's own as a job states it: its kind and, beside it, its options. */
export interface OwnSpec {
  readonly kind: OwnKind;
  readonly [option: string]: Json;
}

/** A registered part. What `definition` holds depends on the slot; `runtime/define-part.ts` gives it its type. */
export interface OwnPart {
  readonly slot: PartSlot;
  readonly kind: OwnKind;
  /** Absolute path of the file that registers it. */
  readonly module: string;
  readonly options: OptionsSchema;
  readonly definition: unknown;
  /** SHA-256 of the file. */
  readonly digest?: string;
}

const kindPattern = /^[a-z0-9][a-z0-9-]*\/[a-z0-9][a-z0-9-]*$/;
const kindExpected = 'a kind of your own is written <who>/<name> in lower-case letters, digits and dashes';

const place = Symbol.for('consilium.own-parts.1');

/**
 * Known to this thread: filled by the files that define parts, when they are loaded. On the global object, because such a file
 * may import another copy of this library than the one that loads it: that of its project, say, beside a command installed
 * for all.
 */
function registered(): Map<string, OwnPart> {
  const holder = globalThis as { [place]?: Map<string, OwnPart> };
  holder[place] ??= new Map();
  return holder[place];
}

/**
 * Makes a part known under its kind. Loading its file again, or a copy of it, replaces it. @throws ConfigError for a bad kind, or
 * one that another file has taken.
 */
export function registerPart(part: OwnPart): void {
  if (!kindPattern.test(part.kind)) {
    throw new ConfigError(`'${part.kind}' cannot be the kind of a ${part.slot}: ${kindExpected}.`, {
      hint: `For example: 'my-hospital/${part.kind.replace(/[^a-z0-9-]/g, '-') || 'part'}'.`,
    });
  }
  const known = registered().get(keyOf(part.slot, part.kind));
  const digest = digestOf(part.module);
  if (known && known.module !== part.module && (digest === undefined || known.digest !== digest)) {
    throw new ConfigError(`Two files define the ${part.slot} '${part.kind}': ${known.module} and ${part.module}.`, {
      hint: 'Give one of them another kind.',
    });
  }
  registered().set(keyOf(part.slot, part.kind), { ...part, ...(digest !== undefined && { digest }) });
}

/** The same file comes with every job that uses it, and lies in a folder for each. */
function digestOf(module: string): string | undefined {
  try {
    return sha256Of(readFileSync(module));
  } catch {
    return undefined; // It is known by its path alone.
  }
}

/** The part of this kind, if its file was loaded. */
export function findOwnPart(slot: PartSlot, kind: string): OwnPart | undefined {
  return registered().get(keyOf(slot, kind));
}

export function ownKinds(slot: PartSlot): readonly OwnKind[] {
  return [...registered().values()].filter((part) => part.slot === slot).map(({ kind }) => kind);
}

export function isOwn<S extends { readonly kind: string }>(spec: S): spec is Extract<S, { readonly kind: OwnKind }> {
  return spec.kind.includes('/');
}

/** Typed by its pattern, so that a misspelt built-in kind is an error in the editor. */
const ownKind = z.string().regex(kindPattern, kindExpected) as unknown as z.ZodType<OwnKind, OwnKind>;

/** Checks a spec of a registered part with the part's own schema. */
export function ownSpec(slot: PartSlot) {
  const schema = z.looseObject({ kind: ownKind }).transform((spec, context): OwnSpec => {
    const { kind, ...options } = spec;
    const part = findOwnPart(slot, kind);
    if (!part) {
      context.addIssue({ code: 'custom', path: ['kind'], message: unknownOwnKind(slot, kind) });
      return z.NEVER;
    }
    const checked = checkOptions(part.options, options, `${slot} '${kind}'`);
    if ('data' in checked) return { kind: part.kind, ...checked.data };
    for (const { path, message } of checked.problems) context.addIssue({ code: 'custom', path: [...path], message });
    return z.NEVER;
  });
  slots.set(schema, slot);
  return schema;
}

/** The slot that each schema of {@link ownSpec} is for. */
const slots = new WeakMap<z.ZodType, PartSlot>();

/** The slot whose registered parts a schema takes, when it is one of {@link ownSpec}. */
export function slotOf(schema: z.ZodType): PartSlot | undefined {
  return slots.get(schema);
}

/** Of a kind that looks like one of the user's own. `builtIn` are the others that may stand there. */
export function unknownOwnKind(slot: PartSlot, kind: string, builtIn: readonly string[] = []): string {
  const own = ownKinds(slot);
  const loaded = own.length === 0 ? 'none is loaded' : `loaded are ${own.join(', ')}`;
  const others = builtIn.length === 0 ? '' : ` Built in: ${builtIn.join(', ')}.`;
  const meant = didYouMean(kind, [...own, ...builtIn]);
  return `there is no ${slot} '${kind}'; of your own, ${loaded}.${meant}${others} List the file that defines it under 'modules'`;
}

function keyOf(slot: PartSlot, kind: string): string {
  return `${slot} ${kind}`;
}
