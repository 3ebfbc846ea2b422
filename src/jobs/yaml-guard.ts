/**
 * What a job file must not be, found before anything recursive reads it: too long, not text, nested too deeply, or using
 * parts of YAML that a job has no need of. Deep nesting matters most: it makes the YAML library's composer overflow the
 * stack inside the regular-expression compiler, which ends the whole process. The library's lexer and its syntax parser keep
 * stacks of their own; the scan below stops them at the limit, whatever quotes, comments and block texts may hide.
 *
 * @module
 */
import type { CST } from 'yaml';
import { yaml } from './yaml-library';

/** Longest job file, bytes. */
export const maxJobBytes = 256 * 1024;

/** Open collections and scalars at any point. A job has about ten. */
const maxDepth = 64;

/** After so many the scan ends. */
const mostProblems = 20;

/** Something wrong with a text, and where: a number of UTF-16 units from its start, if it has a place. */
export interface TextProblem {
  readonly offset: number | undefined;
  readonly message: string;
}

export type Guarded<T> = { readonly problems: readonly TextProblem[] } | T;

/** The text of a job file: UTF-8, with or without byte order mark, and no control characters but tabs and line ends. */
export function decodeJobText(bytes: Uint8Array): Guarded<{ readonly text: string }> {
  if (bytes.byteLength > maxJobBytes) return refuse(`the file has more than the ${maxJobBytes} bytes that it may have`);
  const wide = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  if (wide) return refuse('the text is UTF-16; save the file as UTF-8');
  try {
    // A byte order mark is dropped.
    return checkText(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    const valid = new TextDecoder('utf-8').decode(bytes);
    return refuse('the text is not valid UTF-8; save the file as UTF-8 text', valid.indexOf('\ufffd'));
  }
}

/** The same checks for a text that is in memory already. */
export function checkText(raw: string): Guarded<{ readonly text: string }> {
  const text = raw.startsWith('\ufeff') ? raw.slice(1) : raw;
  if (text.length > maxJobBytes || Buffer.byteLength(text) > maxJobBytes) {
    return refuse(`the text has more than the ${maxJobBytes} bytes that it may have`);
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is looked for
  const control = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.exec(text);
  if (!control) return { text };
  const code = control[0].charCodeAt(0).toString(16).padStart(2, '0');
  return refuse(`the control character 0x${code}; is this a text file at all?`, control.index);
}

/** The syntax tree of a text whose nesting is bounded and that has no anchors, aliases, tags or directives. */
export function scanYaml(text: string): Guarded<{ readonly tokens: readonly CST.Token[] }> {
  const { CST, Lexer, Parser } = yaml();
  const problems: TextProblem[] = [];
  const tokens: CST.Token[] = [];
  const parser = new Parser();
  let before = '';
  for (const lexeme of new Lexer().lex(text)) {
    const { offset } = parser;
    // After this mark comes the text of a scalar, whatever it looks like.
    const type = before === CST.SCALAR ? 'scalar' : (CST.tokenType(lexeme) ?? 'scalar');
    before = lexeme;
    const reason = refused[type];
    if (reason !== undefined) problems.push({ offset, message: `${quoted(lexeme)}: ${reason}` });
    if (isOpenQuote(type, lexeme))
      problems.push({ offset, message: `the quote ${lexeme[0]} is opened here and never closed` });
    if (problems.length === mostProblems) break;
    tokens.push(...parser.next(lexeme));
    if (parser.stack.length > maxDepth) return refuse(`nested more than ${maxDepth} levels deep`, offset);
  }
  tokens.push(...parser.end());
  return problems.length > 0 ? { problems } : { tokens };
}

const refused: { readonly [K in CST.TokenType]?: string } = {
  anchor: 'anchors are not allowed; write the value again where it is needed',
  alias: 'aliases are not allowed; write the value again (a text that begins with * needs quotes)',
  tag: 'tags are not allowed, the file holds plain data (a text that begins with ! needs quotes)',
  'directive-line': 'directives are not allowed',
};

/** The parser would tell of it at the end of the file. */
function isOpenQuote(type: CST.TokenType, lexeme: string): boolean {
  if (type !== 'single-quoted-scalar' && type !== 'double-quoted-scalar') return false;
  if (lexeme.length < 2 || !lexeme.endsWith(lexeme[0]!)) return true;
  const inner = lexeme.slice(1, -1);
  // A backslash or a quote before the last one makes that one part of the text.
  const before = (type === 'single-quoted-scalar' ? /'*$/ : /\\*$/).exec(inner)?.[0].length ?? 0;
  return before % 2 === 1;
}

function quoted(lexeme: string): string {
  return lexeme.length > 40 ? `'${lexeme.slice(0, 40)}…'` : `'${lexeme}'`;
}

function refuse(message: string, offset?: number): { readonly problems: readonly TextProblem[] } {
  return { problems: [{ offset, message }] };
}
