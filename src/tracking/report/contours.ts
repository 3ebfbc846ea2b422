/**
 * Outlines of label masks as SVG paths, by marching squares: every voxel counts, and corners are cut at 45 degrees.
 *
 * @module
 */

/** Which edge midpoints of a cell an outline joins, inside on the right: T, R, B, L by TL·8 + TR·4 + BR·2 + BL. */
const segments: readonly string[] = [
  '',
  'LB',
  'BR',
  'LR',
  'RT',
  'RTLB',
  'BT',
  'LT',
  'TL',
  'TB',
  'TLBR',
  'TR',
  'RL',
  'RB',
  'BL',
  '',
];

/** Midpoints of the edges relative to the upper left corner of a cell, in half pixels. */
const midpoints: Readonly<Record<string, readonly [x: number, y: number]>> = {
  T: [1, 0],
  R: [2, 1],
  B: [1, 2],
  L: [0, 1],
};

/**
 * The outline of the pixels where `inside` holds, closed loops in pixel units (a pixel is one unit wide, the image begins
 * at 0); fill it with the even-odd rule. Empty when no pixel is inside.
 */
export function outline(width: number, height: number, inside: (column: number, row: number) => boolean): string {
  const at = (column: number, row: number): number =>
    Number(column >= 0 && row >= 0 && column < width && row < height && inside(column, row));
  const stride = 2 * width + 4;
  const next = new Map<number, number>();
  for (let row = -1; row < height; row++) {
    for (let column = -1; column < width; column++) {
      const corners = [at(column, row), at(column + 1, row), at(column + 1, row + 1), at(column, row + 1)];
      const joined = segments[corners.reduce((index, corner) => 2 * index + corner, 0)]!;
      const point = (edge: string): number => {
        const [x, y] = midpoints[edge]!;
        return (2 * row + 2 + y) * stride + 2 * column + 2 + x;
      };
      for (let i = 0; i < joined.length; i += 2) next.set(point(joined[i]!), point(joined[i + 1]!));
    }
  }
  return joinLoops(next, stride);
}

/** Follows the segments into loops. Every point has one successor, as the inside is always on the same side. */
function joinLoops(next: Map<number, number>, stride: number): string {
  const loops: string[] = [];
  for (const start of next.keys()) {
    const points: number[] = [];
    for (let point: number | undefined = start; point !== undefined && next.has(point); ) {
      points.push(point);
      const following: number | undefined = next.get(point);
      next.delete(point);
      point = following;
    }
    if (points.length > 0) loops.push(pathOf(points, stride));
  }
  return loops.join('');
}

function pathOf(points: readonly number[], stride: number): string {
  const corners = points.filter((point, i) => {
    const before = points.at(i - 1)!;
    const after = points[(i + 1) % points.length]!;
    return point - before !== after - point;
  });
  // Coordinates count half pixels from one pixel left of and above the centre of the first.
  const text = corners.map((point) => `${((point % stride) - 1) / 2} ${(Math.floor(point / stride) - 1) / 2}`);
  return `M${text.join('L')}Z`;
}
