/**
 * Names that a file in a bundle may have: they mean the same file on every system, within one folder, and no two of them meet.
 *
 * @module
 */

const longestPath = 1000;
const longestName = 255;

/** What is wrong with a path; nothing when a file may lie there. */
export function pathProblem(path: string): string | undefined {
  if (path === '') return 'it is empty';
  if (Buffer.byteLength(path) > longestPath) return `it has more than ${longestPath} bytes`;
  // Control and format characters, halves of characters, and what no standard has given a meaning.
  if (/\p{C}/u.test(path)) return 'it holds a character that cannot be seen';
  if (path.includes('\\')) return "it holds a backslash; folders are separated by '/'";
  if (path.includes(':')) return 'it holds a colon';
  if (path.startsWith('/')) return 'it is absolute';
  for (const name of path.split('/')) {
    if (name === '..') return 'it leads out of the folder';
    if (name === '' || name === '.') return 'it has an empty part';
    if (Buffer.byteLength(name) > longestName) return `a part of it has more than ${longestName} bytes`;
    if (/[. ]$/.test(name)) return 'a part of it ends in a dot or a blank';
    if (/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(name)) return `'${name}' names a device on some systems`;
  }
  return undefined;
}

/** What is wrong with paths beside each other: two that are the same file on some system, or a file where a folder has to be. */
export function pathsProblem(paths: readonly string[]): string | undefined {
  const files = new Map<string, string>();
  for (const path of paths) {
    const same = files.get(folded(path));
    if (same !== undefined) return `'${same}' and '${path}' are the same file on some systems`;
    files.set(folded(path), path);
  }
  for (const path of paths) {
    const parts = folded(path).split('/');
    for (let length = 1; length < parts.length; length++) {
      const file = files.get(parts.slice(0, length).join('/'));
      if (file !== undefined) return `'${file}' is a file, and a folder for '${path}'`;
    }
  }
  return undefined;
}

/** As file systems compare that know no case, or one form of a composed character only. */
function folded(path: string): string {
  return path.normalize('NFC').toUpperCase().toLowerCase().normalize('NFC');
}
