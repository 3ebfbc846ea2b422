/**
 * The state of the pickle interpreter and the bounds-checked steps that opcodes are made of.
 *
 * @module
 */
import { DataError } from '../../errors';
import type { PickleValue } from './pickle-value';

/** What happens where a pickle asks for Python: the only two doors, and neither runs anything. */
export interface PickleHooks {
  /** What stands for the result of calling the global `name` with `args`: data, or a placeholder. */
  readonly call: (name: string, args: readonly PickleValue[]) => PickleValue;
  /** The storage that a persistent id means, or a placeholder. */
  readonly persistent: (id: PickleValue) => PickleValue;
}

export interface Machine {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly hooks: PickleHooks;
  readonly stack: PickleValue[];
  /** Heights of the stack at the open marks. */
  readonly marks: number[];
  readonly memo: Map<number, PickleValue>;
  at: number;
}

export function createMachine(bytes: Uint8Array, at: number, hooks: PickleHooks): Machine {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { bytes, view, hooks, stack: [], marks: [], memo: new Map(), at };
}

/** The position before the next `length` bytes, which are then behind. */
export function skip(machine: Machine, length: number): number {
  const { at, bytes } = machine;
  if (length > bytes.length - at) throw damaged(machine, 'it is cut off');
  machine.at += length;
  return at;
}

export function take(machine: Machine, length: number): Uint8Array {
  const at = skip(machine, length);
  return machine.bytes.subarray(at, at + length);
}

/** An unsigned 64-bit length, which must be one that the file can hold. */
export function takeLength64(machine: Machine): number {
  const length = machine.view.getBigUint64(skip(machine, 8), true);
  return length > BigInt(machine.bytes.length) ? skip(machine, machine.bytes.length + 1) : Number(length);
}

export function takeText(machine: Machine, length: number): string {
  const bytes = take(machine, length);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new DataError('The pickle holds text that is not UTF-8.', { cause });
  }
}

/** The text up to the next line feed. */
export function takeLine(machine: Machine): string {
  const end = machine.bytes.indexOf(0x0a, machine.at);
  if (end < 0) throw damaged(machine, 'a line has no end');
  const line = takeText(machine, end - machine.at);
  machine.at = end + 1;
  return line;
}

/** A little-endian two's-complement integer of any length: a number when it is exact as one. */
export function takeLong(machine: Machine, length: number): number | bigint {
  if (length > 255) throw damaged(machine, `it has an integer of ${length} bytes`);
  const hex = [...take(machine, length)].reverse().map((byte) => byte.toString(16).padStart(2, '0'));
  const value = length === 0 ? 0n : BigInt.asIntN(8 * length, BigInt(`0x${hex.join('')}`));
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

export function pop(machine: Machine): PickleValue {
  const value = machine.stack.pop();
  const floor = machine.marks.at(-1) ?? 0;
  if (value === undefined || machine.stack.length < floor) throw damaged(machine, 'it takes from an empty stack');
  return value;
}

export function top(machine: Machine): PickleValue {
  const value = pop(machine);
  machine.stack.push(value);
  return value;
}

/** The values above the last mark; removes them and the mark. */
export function popToMark(machine: Machine): PickleValue[] {
  const mark = machine.marks.pop();
  if (mark === undefined) throw damaged(machine, 'a mark is missing');
  return machine.stack.splice(mark);
}

/** The last `count` values, removed. */
export function popMany(machine: Machine, count: number): PickleValue[] {
  return Array.from({ length: count }, () => pop(machine)).reverse();
}

export function damaged(machine: Machine, problem: string): DataError {
  return new DataError(`The pickle is damaged at byte ${machine.at}: ${problem}.`);
}
