/**
 * What is wrong with the syntax of a YAML text, in words for people who write jobs and do not know the parser's.
 *
 * @module
 */
import type { ErrorCode, YAMLParseError, YAMLWarning } from 'yaml';
import type { TextProblem } from './yaml-guard';

/** An error of the parser with its place, what is to be done, and what stands there. */
export function syntaxProblem({ code, message, pos }: YAMLParseError | YAMLWarning, text: string): TextProblem {
  const offset = pos[0];
  const rest = /^[^\r\n]*/.exec(text.slice(offset, offset + 1000))?.[0].trim() ?? '';
  const near = closer.find((one) => one.code === code && one.when.test(message) && (one.rest?.test(rest) ?? true));
  return { offset, message: `${near?.words ?? byCode[code]}${found(rest, text, offset)}` };
}

/** The rest of the line, shortened. */
function found(rest: string, text: string, offset: number): string {
  if (rest === '') return offset >= text.trimEnd().length ? ' (found the end of the file)' : '';
  return ` (found ${rest.length > 30 ? `${rest.slice(0, 30)}…` : rest})`;
}

const columns = 'the keys of one mapping, and the dashes of one list, stand in the same column; this one does not';
const colon = "a second ': ' in one value; put a text that holds a colon in quotes, or begin a new line for a mapping";
const oneLine = 'a key stands on one line with its colon; a colon is missing here, or the indentation is wrong';
const further = 'a line below this one is indented further than its neighbours, or the line lacks a colon';
const noColon = "a key without a value: write 'key: value', with a colon and a blank";
const badEscape = 'this is no escape in a text with double quotes; write a backslash twice, or use single quotes';
const notInJobs = 'anchors, aliases, tags and directives are not allowed in a job';
const unexpected = 'this does not belong here; check the indentation and the brackets, or put the text in quotes';

/** Total by type: a kind of error that the library adds does not compile. */
const byCode: Readonly<Record<ErrorCode, string>> = {
  ALIAS_PROPS: notInJobs,
  BAD_ALIAS: notInJobs,
  BAD_COLLECTION_TYPE: notInJobs,
  BAD_DIRECTIVE: notInJobs,
  BAD_DQ_ESCAPE: badEscape,
  BAD_INDENT: columns,
  BAD_PROP_ORDER: notInJobs,
  BAD_SCALAR_START: 'a text that begins with this character needs quotes',
  BLOCK_AS_IMPLICIT_KEY: colon,
  BLOCK_IN_FLOW:
    'inside [ ] and { } there are no entries with dashes or of several lines; write them with commas, or without brackets',
  DUPLICATE_KEY: 'a key stands here a second time',
  IMPOSSIBLE: unexpected,
  KEY_OVER_1024_CHARS: 'a key of more than 1024 characters; is a colon meant as text? Then put the text in quotes',
  MISSING_CHAR: 'a character is missing here: a comma, a colon, a quote or a bracket',
  MULTILINE_IMPLICIT_KEY: oneLine,
  MULTIPLE_ANCHORS: notInJobs,
  MULTIPLE_DOCS: 'a second document; a job file holds one job',
  MULTIPLE_TAGS: notInJobs,
  NON_STRING_KEY: 'a key must be a text; put it in quotes',
  RESOURCE_EXHAUSTION: 'nested too deeply',
  TAB_AS_INDENT: 'a tab as indentation; use blanks',
  TAG_RESOLVE_FAILED: notInJobs,
  UNEXPECTED_TOKEN: unexpected,
};

interface Slip {
  readonly code: ErrorCode;
  readonly when: RegExp;
  /** Of the rest of the line. */
  readonly rest?: RegExp;
  readonly words: string;
}

/** Where one code stands for several slips, the library's own words tell them apart. */
const closer: readonly Slip[] = [
  {
    code: 'BAD_INDENT',
    when: /flow sequence/i,
    words: "a list that was opened with '[' is not closed: its ']' is missing, or stands too far to the left",
  },
  {
    code: 'BAD_INDENT',
    when: /flow map/i,
    words: "a mapping that was opened with '{' is not closed: its '}' is missing, or stands too far to the left",
  },
  {
    code: 'MISSING_CHAR',
    when: /closing ["']/,
    words: 'a text that was opened with a quote is not closed',
  },
  { code: 'MISSING_CHAR', when: /implicit map keys/i, words: noColon },
  { code: 'MISSING_CHAR', when: /comments must/i, words: "a comment needs a blank before its '#'" },
  { code: 'MISSING_CHAR', when: /missing , or : /i, words: 'a comma or a colon is missing before this' },
  { code: 'MISSING_CHAR', when: /missing , /i, words: 'a comma is missing before this' },
  { code: 'MISSING_CHAR', when: /space after :/i, words: 'a blank is missing after the colon' },
  { code: 'MISSING_CHAR', when: /item without -/i, words: "an entry of a list begins with '- ', below the others" },
  { code: 'BLOCK_AS_IMPLICIT_KEY', when: /sequence/i, words: columns },
  { code: 'BLOCK_AS_IMPLICIT_KEY', when: /mappings/i, rest: /^[^:]*$/, words: further },
  { code: 'UNEXPECTED_TOKEN', when: /on same line with key/i, words: 'the first entry of a list begins a new line' },
  { code: 'UNEXPECTED_TOKEN', when: /^Unexpected ,|empty item/, words: 'a comma with nothing before it' },
  {
    code: 'UNEXPECTED_TOKEN',
    when: /block scalar header/i,
    words: 'after | or > the text begins on a new line; put a text that begins so in quotes',
  },
  { code: 'UNEXPECTED_TOKEN', when: /flow-(map|seq)-end/, words: 'this bracket was not opened' },
];
