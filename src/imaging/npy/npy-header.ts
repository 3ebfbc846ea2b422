/**
 * The header of NumPy's .npy format, versions 1 to 3. It is a Python dictionary as text; it is taken apart here, never evaluated.
 *
 * Source: NumPy Enhancement Proposal 1, "A Simple File Format for NumPy Arrays"; numpy/lib/format.py.
 *
 * @module
 */
import { badFile } from '../data-error';

/** Kinds of numbers and bytes of one: float, signed, unsigned, Boolean. */
export const npyTypes = ['f2', 'f4', 'f8', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', 'b1'] as const;
export type NpyType = (typeof npyTypes)[number];

export interface NpyHeader {
  readonly type: NpyType;
  readonly littleEndian: boolean;
  /** The first axis varies fastest. */
  readonly fortranOrder: boolean;
  /** Extents, each ≥ 1; no axes for a single number. */
  readonly shape: readonly number[];
  /** Where the numbers begin. */
  readonly dataOffset: number;
}

/** `\x93NUMPY` */
export const NPY_MAGIC = Uint8Array.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]);

/** NumPy's own limit for a header that it takes without being told that the file is trusted. */
const MOST_HEADER_BYTES = 10_000;
const MOST_AXES = 8;
const SAVE_AGAIN = 'Save it again with numpy.save(file, array), as numbers.';

/** @throws DataError naming the file and the field. */
export function parseNpyHeader(bytes: Uint8Array, file: string): NpyHeader {
  const { text, dataOffset } = headerText(bytes, file);
  const [, descr, order, shape] = fieldsOf(text) ?? [];
  if (descr === undefined || order === undefined || shape === undefined) {
    const problem = `the header is '${shorten(text)}', expected one with descr, fortran_order and shape of plain numbers.`;
    throw badFile(file, problem, SAVE_AGAIN);
  }
  return { ...typeOf(descr, file), fortranOrder: order === 'True', shape: shapeOf(shape, file), dataOffset };
}

/** Bytes of one number. */
export function bytesOfType(type: NpyType): number {
  return Number(type[1]);
}

function headerText(bytes: Uint8Array, file: string): { text: string; dataOffset: number } {
  if (bytes.length < 12 || NPY_MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw badFile(file, 'does not begin as an .npy file does.', SAVE_AGAIN);
  }
  const [major, minor] = [bytes[6]!, bytes[7]!];
  if (major < 1 || major > 3) {
    throw badFile(file, `format version ${major}.${minor}, expected 1 to 3.`, SAVE_AGAIN);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  const start = major === 1 ? 10 : 12;
  if (length > MOST_HEADER_BYTES || start + length > bytes.length) {
    throw badFile(
      file,
      `a header of ${length} bytes in a file of ${bytes.length}.`,
      'The file was cut off: copy it again.',
    );
  }
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, length).toString('latin1');
  return { text: text.trimEnd(), dataOffset: start + length };
}

/** Everything, descr, fortran_order, shape. NumPy writes the keys in this order, sorted; others may not. */
function fieldsOf(text: string): readonly (string | undefined)[] | undefined {
  if (!/^\{.*\}$/s.test(text)) return undefined;
  const field = /\s*'(\w+)'\s*:\s*('[^']*'|True|False|\([^()]*\))\s*(,|$)/y;
  const found = new Map<string, string>();
  const inner = text.slice(1, -1).trimEnd();
  while (field.lastIndex < inner.length) {
    const match = field.exec(inner);
    if (!match || found.has(match[1]!)) return undefined;
    found.set(match[1]!, match[2]!);
  }
  const [descr, order, shape] = ['descr', 'fortran_order', 'shape'].map((key) => found.get(key));
  const sound = found.size === 3 && descr?.startsWith("'") && order?.match(/^(True|False)$/) && shape?.startsWith('(');
  return sound ? [text, descr!.slice(1, -1), order, shape!.slice(1, -1)] : undefined;
}

function typeOf(descr: string, file: string): Pick<NpyHeader, 'type' | 'littleEndian'> {
  const [, endian, name] = /^([<>=|])(\w+)$/.exec(descr) ?? [];
  const type = npyTypes.find((one) => one === name);
  const single = type !== undefined && bytesOfType(type) === 1;
  if (type && (single || endian === '<' || endian === '>')) return { type, littleEndian: endian !== '>' };
  if (name?.startsWith('O')) {
    throw badFile(file, 'holds Python objects, which are never unpacked here: they can run code.', SAVE_AGAIN);
  }
  throw badFile(file, `numbers of type '${shorten(descr)}', expected one of ${npyTypes.join(', ')}.`, SAVE_AGAIN);
}

function shapeOf(text: string, file: string): readonly number[] {
  const parts = text.split(',').map((part) => part.trim());
  if (parts.at(-1) === '') parts.pop();
  const shape = parts.map((part) => (/^[1-9]\d{0,9}$/.test(part) ? Number(part) : 0));
  if (shape.length <= MOST_AXES && !shape.includes(0)) return shape;
  throw badFile(file, `shape (${shorten(text)}), expected at most ${MOST_AXES} extents of at least 1.`, SAVE_AGAIN);
}

function shorten(text: string): string {
  const printable = text.replace(/[^\x20-\x7e]/g, '?');
  return printable.length > 80 ? `${printable.slice(0, 80)}…` : printable;
}
