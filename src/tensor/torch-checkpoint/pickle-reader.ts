/**
 * An interpreter of the part of Python's pickle language (protocols 2 to 5) that data needs. It builds plain values and
 * runs nothing: a global is a name, a call is a table entry that makes data from data, or else a placeholder.
 * Opcodes: https://github.com/python/cpython/blob/main/Lib/pickletools.py
 *
 * @module
 */
import { DataError } from '../../errors';
import {
  createMachine,
  damaged,
  type Machine,
  type PickleHooks,
  pop,
  popMany,
  popToMark,
  skip,
  take,
  takeLength64,
  takeLine,
  takeLong,
  takeText,
  top,
} from './pickle-machine';
import { isKind, type PickleValue } from './pickle-value';

const stop = '.'.charCodeAt(0);

/**
 * Reads one pickle that starts at `at`; `end` is where it stopped.
 * @throws DataError on damage, an opcode outside the subset, or whatever a hook refuses.
 */
export function readPickle(
  bytes: Uint8Array,
  hooks: PickleHooks,
  at = 0,
): { readonly value: PickleValue; readonly end: number } {
  const machine = createMachine(bytes, at, hooks);
  for (;;) {
    const opcode = bytes[skip(machine, 1)]!;
    if (opcode === stop) return { value: pop(machine), end: machine.at };
    const step = steps.get(opcode);
    if (step === undefined) {
      throw damaged(machine, `opcode 0x${opcode.toString(16).padStart(2, '0')} is not one that model files need`);
    }
    step(machine);
  }
}

type Step = (machine: Machine) => void;

/** A step that pushes what `make` returns. */
function pushing(make: (machine: Machine) => PickleValue): Step {
  return (machine) => {
    const value = make(machine);
    machine.stack.push(value);
  };
}

const u8 = (m: Machine): number => m.view.getUint8(skip(m, 1));
const u16 = (m: Machine): number => m.view.getUint16(skip(m, 2), true);
const u32 = (m: Machine): number => m.view.getUint32(skip(m, 4), true);
const i32 = (m: Machine): number => m.view.getInt32(skip(m, 4), true);

const steps: ReadonlyMap<number, Step> = new Map<number, Step>([
  // Framing. The length of a frame is a hint for readers of streams.
  [0x80, checkProtocol],
  [0x95, (m) => void skip(m, 8)],

  // Constants and numbers.
  [code('N'), pushing(() => null)],
  [0x88, pushing(() => true)],
  [0x89, pushing(() => false)],
  [code('J'), pushing(i32)],
  [code('K'), pushing(u8)],
  [code('M'), pushing(u16)],
  [0x8a, pushing((m) => takeLong(m, u8(m)))],
  [0x8b, pushing((m) => takeLong(m, u32(m)))],
  [code('G'), pushing((m) => m.view.getFloat64(skip(m, 8), false))],

  // Text and bytes.
  [code('X'), pushing((m) => takeText(m, u32(m)))],
  [0x8c, pushing((m) => takeText(m, u8(m)))],
  [0x8d, pushing((m) => takeText(m, takeLength64(m)))],
  [code('U'), pushing((m) => takeText(m, u8(m)))],
  [code('T'), pushing((m) => takeText(m, u32(m)))],
  [code('B'), pushing((m) => take(m, u32(m)))],
  [code('C'), pushing((m) => take(m, u8(m)))],
  [0x8e, pushing((m) => take(m, takeLength64(m)))],
  [0x96, pushing((m) => take(m, takeLength64(m)))],

  // The stack and the memo.
  [code('('), (m) => void m.marks.push(m.stack.length)],
  [code('0'), (m) => void pop(m)],
  [code('1'), (m) => void popToMark(m)],
  [code('2'), pushing(top)],
  [code('q'), (m) => void m.memo.set(u8(m), top(m))],
  [code('r'), (m) => void m.memo.set(u32(m), top(m))],
  [0x94, (m) => void m.memo.set(m.memo.size, top(m))],
  [code('h'), pushing((m) => recall(m, u8(m)))],
  [code('j'), pushing((m) => recall(m, u32(m)))],

  // Containers.
  [code(')'), pushing(() => ({ kind: 'tuple', items: [] }))],
  [code('t'), pushing((m) => ({ kind: 'tuple', items: popToMark(m) }))],
  [0x85, pushing((m) => ({ kind: 'tuple', items: popMany(m, 1) }))],
  [0x86, pushing((m) => ({ kind: 'tuple', items: popMany(m, 2) }))],
  [0x87, pushing((m) => ({ kind: 'tuple', items: popMany(m, 3) }))],
  [code(']'), pushing(() => ({ kind: 'list', items: [] }))],
  [code('l'), pushing((m) => ({ kind: 'list', items: popToMark(m) }))],
  [code('a'), (m) => append(m, [pop(m)])],
  [code('e'), (m) => append(m, popToMark(m))],
  [0x8f, pushing(() => ({ kind: 'set', items: [] }))],
  [0x90, (m) => append(m, popToMark(m))],
  [0x91, pushing((m) => ({ kind: 'set', items: popToMark(m) }))],
  [code('}'), pushing(() => ({ kind: 'dict', entries: new Map() }))],
  [code('d'), pushing((m) => ({ kind: 'dict', entries: new Map(pairs(m, popToMark(m))) }))],
  [code('s'), (m) => setItems(m, popMany(m, 2))],
  [code('u'), (m) => setItems(m, popToMark(m))],

  // Names, and what stands for calls.
  [code('c'), pushing((m) => global(m, takeLine(m), takeLine(m)))],
  [0x93, pushing((m) => global(m, ...(popMany(m, 2) as [PickleValue, PickleValue])))],
  [code('R'), pushing(call)],
  [0x81, pushing(call)],
  [0x92, pushing(callWithNames)],
  [code('b'), build],
  [code('Q'), pushing((m) => m.hooks.persistent(pop(m)))],
]);

function code(character: string): number {
  return character.charCodeAt(0);
}

function checkProtocol(machine: Machine): void {
  const protocol = u8(machine);
  if (protocol < 2 || protocol > 5) throw damaged(machine, `protocol ${protocol} is not 2, 3, 4 or 5`);
}

function recall(machine: Machine, index: number): PickleValue {
  const value = machine.memo.get(index);
  if (value === undefined) throw damaged(machine, `it recalls entry ${index}, which it never stored`);
  return value;
}

function append(machine: Machine, items: readonly PickleValue[]): void {
  const target = top(machine);
  if (isKind(target, 'object')) return;
  if (!isKind(target, 'list') && !isKind(target, 'set')) throw damaged(machine, 'it appends to what is no list or set');
  for (const item of items) target.items.push(item);
}

function setItems(machine: Machine, items: readonly PickleValue[]): void {
  const target = top(machine);
  if (isKind(target, 'object')) return;
  if (!isKind(target, 'dict')) throw damaged(machine, 'it sets an item of what is no dict');
  for (const [key, value] of pairs(machine, items)) target.entries.set(key, value);
}

function pairs(machine: Machine, items: readonly PickleValue[]): readonly [PickleValue, PickleValue][] {
  if (items.length % 2 !== 0) throw damaged(machine, 'a key has no value');
  return Array.from({ length: items.length / 2 }, (_, i) => [items[2 * i]!, items[2 * i + 1]!]);
}

function global(machine: Machine, module: PickleValue, name: PickleValue): PickleValue {
  if (typeof module !== 'string' || typeof name !== 'string') throw damaged(machine, 'the name of a global is no text');
  return { kind: 'global', name: `${module}.${name}` };
}

function call(machine: Machine): PickleValue {
  const [callee, args] = popMany(machine, 2);
  if (isKind(callee, 'object')) return callee;
  if (!isKind(callee, 'global') || !isKind(args, 'tuple')) throw damaged(machine, 'it calls what is no global');
  return machine.hooks.call(callee.name, args.items);
}

/** A class, arguments, and arguments by name, which no data needs. */
function callWithNames(machine: Machine): PickleValue {
  pop(machine);
  return call(machine);
}

/**
 * State set on an object: kept as data by a placeholder, dropped by a dict (ordered ones carry versions of modules there)
 * and a tensor.
 */
function build(machine: Machine): void {
  const state = pop(machine);
  const target = top(machine);
  if (isKind(target, 'object')) target.state = state;
  else if (!isKind(target, 'dict') && !isKind(target, 'tensor'))
    throw new DataError('The pickle sets the state of an object, which is refused.');
}
