/** A text of somebody else as one line: no line ends, and no characters that a terminal would act upon. */
export function oneLine(text: string): string {
  return text.replace(/[\p{C}\s]+/gu, ' ').trim();
}
