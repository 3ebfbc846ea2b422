/**
 * Differences as colours, from black for none to white for the largest.
 *
 * @module
 */
import { type Plane, pngDataUri } from './slice';

/** Red, green and blue at equal distances: dark to light without a step, so that it also reads in grey. */
const stops = [
  [0, 0, 4],
  [66, 10, 104],
  [147, 38, 103],
  [221, 81, 58],
  [252, 165, 10],
  [252, 255, 164],
] as const;

/** The same colours for a style sheet. */
export const heatStops: readonly string[] = stops.map(([r, g, b]) => `rgb(${r},${g},${b})`);

/** The plane as a coloured PNG in a data URI: 0 black, `limit` and above white. */
export function heatDataUri({ width, height, data }: Plane<Float32Array>, limit: number): string {
  const colours = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i++) colours.set(colourOf(data[i]! / limit), i * 3);
  return pngDataUri({ width, height, data: colours }, 'rgb');
}

function colourOf(share: number): number[] {
  const at = Math.min(1, Math.max(0, Number.isFinite(share) ? share : 1)) * (stops.length - 1);
  const below = Math.min(stops.length - 2, Math.floor(at));
  const [from, to] = [stops[below]!, stops[below + 1]!];
  return from.map((value, i) => Math.round(value + (to[i]! - value) * (at - below)));
}
