/**
 * Slices from disk as a network sees them.
 *
 * @module
 */
import { dirname, join } from 'node:path';
import { limit } from '../../util/limit';
import { badFile } from '../data-error';
import { readNpy } from '../npy/read-npy';
import type { SlicePair } from './layout';
import { type Normalisation, needsVolume, type Scale, scaleFrom, scaleSlice } from './normalisation';

/** A slice in two contrasts. */
export interface LoadedSlice {
  /** [H, W] in C order, normalised. */
  readonly source: Float32Array;
  readonly target: Float32Array;
  /** 0 or 1. */
  readonly mask: Float32Array | undefined;
}

export interface SliceReader {
  /** H, W of all slices: that of the first. */
  size(): Promise<readonly [number, number]>;
  /** @throws DataError naming the file that is damaged, not finite or of another size than the first. */
  read(pair: SlicePair): Promise<LoadedSlice>;
}

/** Longest side of a slice. */
const MOST_EXTENT = 4096;

/**
 * Reads slices of a site. The scale of a patient's volume is worked out when its first slice is read, and kept.
 *
 * @param all every slice that will be read, whose first gives the size of all; the volume of a patient is its slices here.
 */
export function sliceReader(all: readonly SlicePair[], normalisation: Normalisation): SliceReader {
  const volumes = byVolume(all);
  const oneByOne = limit(1);
  const scales = new Map<string, Promise<Scale>>();
  let known: Promise<readonly [number, number]> | undefined;

  return { size, read };

  function size(): Promise<readonly [number, number]> {
    known ??= readNpy(all[0]!.source).then(({ shape }) => planeOf(shape, all[0]!.source));
    return known;
  }

  async function read(pair: SlicePair): Promise<LoadedSlice> {
    const [source, target, mask] = await Promise.all([
      normalised(pair, 'source'),
      normalised(pair, 'target'),
      pair.mask === undefined ? undefined : readPlane(pair.mask),
    ]);
    return { source, target, mask: mask?.map((value) => (value > 0 ? 1 : 0)) };
  }

  async function normalised(pair: SlicePair, contrast: 'source' | 'target'): Promise<Float32Array> {
    const plane = await readPlane(pair[contrast]);
    const scale = needsVolume(normalisation) ? await volumeScale(pair, contrast) : scaleFrom(normalisation, [plane]);
    scaleSlice(plane, scale);
    return plane;
  }

  function volumeScale(pair: SlicePair, contrast: 'source' | 'target'): Promise<Scale> {
    const volume = volumeOf(pair);
    const key = `${contrast} ${volume}`;
    let scale = scales.get(key);
    if (!scale) {
      // One volume at a time: those of a whole batch would not fit into memory.
      scale = oneByOne(async () => {
        const slices = await Promise.all(volumes.get(volume)!.map((one) => readPlane(one[contrast])));
        return scaleFrom(normalisation, slices);
      });
      scales.set(key, scale);
    }
    return scale;
  }

  async function readPlane(file: string): Promise<Float32Array> {
    const [height, width] = await size();
    const { data, shape } = await readNpy(file);
    const found = planeOf(shape, file);
    if (found[0] !== height || found[1] !== width) {
      const problem = `${found.join(' × ')} pixels, but the first slice of this site, ${all[0]!.source}, has ${height} × ${width}.`;
      throw badFile(file, problem, 'All slices of a site must have one size: crop or pad them.');
    }
    const bad = data.findIndex((value) => !Number.isFinite(value));
    if (bad < 0) return data;
    const at = `row ${Math.floor(bad / width)}, column ${bad % width}`;
    throw badFile(file, `${data[bad]} at ${at}, expected finite numbers.`, 'Export the slice again.');
  }
}

function byVolume(all: readonly SlicePair[]): ReadonlyMap<string, readonly SlicePair[]> {
  const volumes = new Map<string, SlicePair[]>();
  for (const pair of all) {
    const volume = volumes.get(volumeOf(pair)) ?? [];
    volumes.set(volumeOf(pair), volume);
    volume.push(pair);
  }
  return volumes;
}

/** Names the slices of one patient in one folder. */
function volumeOf({ source, patient }: SlicePair): string {
  return join(dirname(source), patient);
}

function planeOf(shape: readonly number[], file: string): readonly [number, number] {
  const [height, width] = shape;
  if (shape.length === 2 && height! <= MOST_EXTENT && width! <= MOST_EXTENT) return [height!, width!];
  const problem = `shape (${shape.join(', ')}), expected two extents of at most ${MOST_EXTENT}.`;
  throw badFile(file, problem, "A slice is one image; 'consilium data slices' cuts volumes into slices.");
}
