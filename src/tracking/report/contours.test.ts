import fc from 'fast-check';
import { expect, test } from 'vitest';
import { outline } from './contours';

/** Loops of a path as lists of corners. */
function loops(path: string): number[][][] {
  return path
    .split('M')
    .slice(1)
    .map((loop) =>
      loop
        .replace('Z', '')
        .split('L')
        .map((corner) => corner.split(' ').map(Number)),
    );
}

/** Twice the area inside the loops, holes counted as negative (shoelace). */
function area(path: string): number {
  let sum = 0;
  for (const loop of loops(path)) {
    loop.forEach(([x, y], i) => {
      const [nextX, nextY] = loop[(i + 1) % loop.length]!;
      sum += x! * nextY! - nextX! * y!;
    });
  }
  return sum;
}

const draw = (rows: readonly string[]) =>
  outline(rows[0]!.length, rows.length, (column, row) => rows[row]![column] === '#');

test('a single pixel is a diamond around its centre', () => {
  expect(
    loops(draw(['...', '.#.', '...']))[0]!
      .map(String)
      .sort(),
  ).toEqual(['1,1.5', '1.5,1', '1.5,2', '2,1.5']);
});

test('a square touching the border keeps its corners cut', () => {
  expect(loops(draw(['##', '##']))).toHaveLength(1);
  expect(loops(draw(['##', '##']))[0]).toHaveLength(8);
});

test('a ring has an outer loop and a hole that turns the other way', () => {
  const path = draw(['###', '#.#', '###']);
  expect(loops(path)).toHaveLength(2);
  expect(Math.abs(area(path))).toBe(2 * (8.5 - 0.5));
});

test('pixels that touch at a corner are two loops', () => {
  expect(loops(draw(['#.', '.#']))).toHaveLength(2);
});

test('nothing inside gives nothing', () => {
  expect(draw(['..'])).toBe('');
});

test('the area is that of marching squares for every mask', () => {
  const size = 6;
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: size * size, maxLength: size * size }), (mask) => {
      const inside = (column: number, row: number) => mask[row * size + column]!;
      const at = (column: number, row: number) =>
        column >= 0 && row >= 0 && column < size && row < size && inside(column, row) ? 1 : 0;
      // A cell of four centres holds 0, 1/8, 1/2 (or 1/4 for a diagonal), 7/8 or 1 of its area.
      let expected = 0;
      for (let row = -1; row < size; row++) {
        for (let column = -1; column < size; column++) {
          const [a, b, c, d] = [at(column, row), at(column + 1, row), at(column + 1, row + 1), at(column, row + 1)];
          const count = a + b + c + d;
          const diagonal = count === 2 && a === c;
          expected += diagonal ? 0.25 : [0, 0.125, 0.5, 0.875, 1][count]!;
        }
      }
      expect(Math.abs(area(outline(size, size, inside)))).toBeCloseTo(2 * expected, 10);
    }),
  );
});
