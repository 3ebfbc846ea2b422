/** The text behind a heading, broken at blanks to the width of the terminal; further lines stand under the text. */
export function wrapped(text: string, heading: string, width = Math.min(process.stdout.columns ?? 100, 120)): string {
  const indent = ' '.repeat(heading.length + 1);
  const lines: string[] = [];
  let line = heading;
  for (const word of text.split(' ')) {
    if (line.length + 1 + word.length > width && line.trim() !== '' && line !== heading) {
      lines.push(line);
      line = `${indent.slice(1)} ${word}`;
    } else {
      line += ` ${word}`;
    }
  }
  return `${[...lines, line].map((one) => one.trimEnd()).join('\n')}\n`;
}
