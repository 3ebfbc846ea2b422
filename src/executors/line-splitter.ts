/** Cuts text into lines as it comes; a line is cut where it grows beyond `most` characters. */
export function lineSplitter(onLine: (line: string) => void, most = 4096): { push(text: string): void; end(): void } {
  let rest = '';
  return {
    push(text) {
      const lines = (rest + text).split(/\r?\n/);
      rest = lines.pop()!;
      for (const line of lines) if (line !== '') onLine(line.slice(0, most));
      if (rest.length < most) return;
      onLine(rest.slice(0, most));
      rest = '';
    },
    end() {
      if (rest !== '') onLine(rest);
      rest = '';
    },
  };
}
