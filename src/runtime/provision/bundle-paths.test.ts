import { describe, expect, it } from 'vitest';
import { pathProblem, pathsProblem } from './bundle-paths';

describe('a path in a bundle', () => {
  it.each(['job.yaml', 'a/b/c.ts', 'a..b', '..a', '.hidden/x', 'Größe ü.ts', 'console.ts', 'a-b_c~1'])(
    'may be %s',
    (path) => {
      expect(pathProblem(path)).toBeUndefined();
    },
  );

  it.each([
    ['', 'empty'],
    ['../x', 'leads out'],
    ['a/../../x', 'leads out'],
    ['a/..', 'leads out'],
    ['/etc/passwd', 'absolute'],
    ['C:\\x', 'backslash'],
    ['C:/x', 'colon'],
    ['a\\..\\x', 'backslash'],
    ['file:stream', 'colon'],
    ['a//b', 'empty part'],
    ['./a', 'empty part'],
    ['a/', 'empty part'],
    ['a\0b', 'cannot be seen'],
    ['a\nb', 'cannot be seen'],
    ['a\u202eb', 'cannot be seen'],
    ['a\u200bb', 'cannot be seen'],
    ['a\ud800', 'cannot be seen'],
    ['a/b.', 'ends in a dot'],
    ['a /b', 'ends in a dot or a blank'],
    ['aux', 'names a device'],
    ['a/NUL.txt', 'names a device'],
    ['a'.repeat(256), 'more than 255 bytes'],
    ['é'.repeat(128), 'more than 255 bytes'],
    ['a/'.repeat(600), 'more than 1000 bytes'],
  ])('may not be %j', (path, problem) => {
    expect(pathProblem(path)).toContain(problem);
  });

  it.each([
    [['a', 'a']],
    [['a', 'A']],
    [['dir/ä', 'DIR/Ä']],
    [['caf\u00e9', 'cafe\u0301']],
    [['stra\u00dfe', 'STRASSE']],
    [['a/b', 'A']],
    [['a', 'a/b/c']],
  ])('may not meet another one: %j', (paths) => {
    expect(pathsProblem(paths)).toMatch(/are the same file on some systems|is a file, and a folder for/);
    expect(pathsProblem([...paths].reverse())).toBeDefined();
  });

  it('may stand beside what only looks alike', () => {
    expect(pathsProblem(['a', 'b', 'a.ts', 'ab/a', 'abc'])).toBeUndefined();
  });
});
