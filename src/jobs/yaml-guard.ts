import { ConfigError } from '../errors';

const maxBytes = 256 * 1024;
const maxDepth = 64;

/**
 * Refuses documents that could exhaust the YAML parser: too long, or nested too deeply. It looks at characters only, so
 * it may refuse odd but harmless text (brackets in long strings); it never lets a deep document through.
 *
 * @throws ConfigError naming the line.
 */
export function refuseDangerousYaml(text: string, source: string): void {
  if (Buffer.byteLength(text) > maxBytes) {
    throw new ConfigError(`${source} has ${Buffer.byteLength(text)} bytes; a job file may have ${maxBytes}.`);
  }
  let flowDepth = 0;
  for (const [index, line] of text.split(/\r\n?|\n/).entries()) {
    const indent = line.length - line.trimStart().length;
    // "- - - x" opens a sequence in a sequence without any indentation.
    const compact = line.match(/(?:^|\s)[-?:](?=\s|$)/g)?.length ?? 0;
    for (const character of line) {
      if (character === '[' || character === '{') flowDepth++;
      if ((character === ']' || character === '}') && flowDepth > 0) flowDepth--;
      if (flowDepth > maxDepth) refuseDepth(source, index + 1);
    }
    if (indent > maxDepth || compact > maxDepth) refuseDepth(source, index + 1);
  }
}

function refuseDepth(source: string, line: number): never {
  throw new ConfigError(`${source}, line ${line}: nested more than ${maxDepth} levels deep.`, {
    hint: 'A job file needs no such nesting; check that it is a job file at all.',
  });
}
