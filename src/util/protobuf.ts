/**
 * Protocol-buffer messages from a declarative schema: the one place that knows protobufjs.
 *
 * @module
 */
import type { Field, INamespace, Type } from 'protobufjs/light';
import { DataError } from '../errors';

/** A field: its protobuf type (`int64`, `bytes`, or a message of the schema) and its number. */
export interface ProtoField {
  readonly type: string;
  readonly id: number;
  readonly rule?: 'repeated';
  /** Whether repeated numbers are packed; true unless told, which every reader accepts. */
  readonly packed?: boolean;
  /** Write a single number also when it is 0; by default 0 is left out, as absent numbers read as 0. */
  readonly explicit?: boolean;
}

/** Messages by name, each with its fields by name. */
export type ProtoSchema = Readonly<Record<string, Readonly<Record<string, ProtoField>>>>;

export interface MessageType {
  /** The bytes of a message given as a plain object; absent fields are not written. */
  encode(message: Readonly<Record<string, unknown>>): Uint8Array;
  /** The message as a plain object; 64-bit integers come as numbers. @throws DataError when the bytes are no such message */
  decode(bytes: Uint8Array): Readonly<Record<string, unknown>>;
}

/** The message `name` of a schema. */
export function messageType(schema: ProtoSchema, name: string): MessageType {
  let built: Type | undefined;
  const type = () => {
    built ??= protobuf().Root.fromJSON(toNamespace(schema)).lookupType(name);
    return built;
  };
  return {
    encode: (message) => type().encode(message).finish(),
    decode: (bytes) => {
      const message = type();
      try {
        return message.toObject(message.decode(bytes), { longs: Number, arrays: true });
      } catch (cause) {
        throw new DataError(`${bytes.byteLength} bytes were expected to be a ${name} message, but are not.`, { cause });
      }
    },
  };
}

/** Loaded with the first message: importing the library stays quick. */
function protobuf(): typeof import('protobufjs/light') {
  return require('protobufjs/light');
}

function toNamespace(schema: ProtoSchema): INamespace {
  const field = ({ type, id, rule, packed = true, explicit = false }: ProtoField) => ({
    type,
    id,
    ...(rule === undefined ? {} : { rule, options: { packed } satisfies Field['options'] }),
    ...(explicit ? { options: { features: { field_presence: 'EXPLICIT' } } satisfies Field['options'] } : {}),
  });
  const nested = Object.entries(schema).map(([name, fields]) => {
    const described = Object.entries(fields).map(([key, value]) => [key, field(value)] as const);
    return [name, { fields: Object.fromEntries(described) }] as const;
  });
  return { nested: Object.fromEntries(nested) };
}
