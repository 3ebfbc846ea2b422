/** A text of somebody else as one line: no line ends, and no characters that a terminal would act upon. */
export function oneLine(text: string): string {
  return text.replace(/[\p{C}\s]+/gu, ' ').trim();
}

/** A name of somebody else, with a blank in place of each line end and of each character that a terminal would act upon. */
export function shownName(name: string): string {
  return name.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, ' ');
}

/**
 * A text as it stands in a log or on a console: further lines are indented, so that none looks like an entry of its own, and
 * there are no characters that a terminal would act upon.
 */
export function indentedLines(text: string): string {
  return text.replace(/[^\P{C}\n\t]+/gu, ' ').replaceAll('\n', '\n    ');
}
