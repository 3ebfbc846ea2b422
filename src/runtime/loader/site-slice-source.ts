/**
 * The slices of one site as streams, in the order that the job's seed fixes.
 *
 * @module
 */
import { basename } from 'node:path';
import type { SliceBatch, SliceCase, SliceLists } from '../../executors/slice-source';
import { findFolders, listSlices, SITE, type SlicePair, splits } from '../../imaging/slices/layout';
import { type LoadedSlice, type SliceReader, sliceReader } from '../../imaging/slices/slice-reader';
import { stream } from '../../util/streams';
import type { SiteSlices } from './loader-messages';

export interface SiteSliceSource {
  lists(): Promise<SliceLists>;
  training(round: number, epochs: number, batchSize: number): AsyncGenerator<SliceBatch>;
  cases(split: 'validation' | 'test'): AsyncGenerator<SliceCase>;
}

type Pairs = Readonly<Record<(typeof splits)[number], readonly SlicePair[]>>;

/** @throws DataError, when something is read, naming the file at fault. */
export function siteSliceSource(slices: SiteSlices, warn: (site: string, message: string) => void): SiteSliceSource {
  const { site, seed, normalisation, cacheRate } = slices;
  let opened: Promise<{ pairs: Pairs; reader: SliceReader }> | undefined;
  const kept = new Map<string, LoadedSlice>();

  return {
    async lists() {
      const { pairs, reader } = await open();
      const identities = (split: 'validation' | 'test') => pairs[split].map(identityOf);
      const [height, width] = await reader.size();
      const { length: train } = pairs.train;
      return { train, validation: identities('validation'), test: identities('test'), shape: [1, height, width] };
    },
    async *training(round, epochs, batchSize) {
      const { pairs, reader } = await open();
      const [height, width] = await reader.size();
      for (let epoch = 0; epoch < epochs; epoch++) {
        const order = stream(seed, site, 'shuffle', round, epoch).permutation(pairs.train.length);
        for (let at = 0; at < order.length; at += batchSize) {
          const places = order.slice(at, at + batchSize);
          const loaded = await Promise.all(places.map((place) => load(reader, pairs.train, place)));
          yield batchOf(loaded, height, width);
        }
      }
    },
    async *cases(split) {
      const { pairs, reader } = await open();
      const [height, width] = await reader.size();
      for (const [place, { name }] of pairs[split].entries()) {
        const { source, target, mask } = await load(reader, pairs[split], place);
        // Copies: they are transferred away.
        const copies = { source: source.slice(), target: target.slice(), ...(mask && { mask: mask.slice() }) };
        yield { name, ...copies, shape: [1, height, width] };
      }
    },
  };

  function open(): Promise<{ pairs: Pairs; reader: SliceReader }> {
    opened ??= listSite(slices, (message) => warn(site, message)).then((pairs) => {
      const all = splits.flatMap((split) => pairs[split]);
      return { pairs, reader: sliceReader(all, normalisation) };
    });
    return opened;
  }

  /** The first `cacheRate` of a list stays in memory. */
  async function load(reader: SliceReader, list: readonly SlicePair[], place: number): Promise<LoadedSlice> {
    const pair = list[place]!;
    const known = kept.get(pair.source);
    if (known) return known;
    const loaded = await reader.read(pair);
    if (place < Math.floor(list.length * cacheRate)) kept.set(pair.source, loaded);
    return loaded;
  }

  function identityOf(pair: SlicePair): string {
    return [pair.source, pair.target, pair.mask ?? '', normalisation].join('\n');
  }
}

/** Every slice of a site, or of all sites for the centralised baseline. */
export async function listSite(
  { folder, centralized, source, target }: Pick<SiteSlices, 'folder' | 'centralized' | 'source' | 'target'>,
  warn: (message: string) => void,
): Promise<Pairs> {
  const wanted = { source, target };
  const { folders, leftOut } = centralized ? await findFolders(folder, wanted) : { folders: [folder], leftOut: [] };
  if (leftOut.length > 0) warn(`without slices in ${source} and ${target}, and so left out: ${leftOut.join(', ')}`);
  const listed = async (split: (typeof splits)[number]) => {
    const lists = await Promise.all(folders.map((one) => listSlices(one, split, wanted)));
    return centralized ? lists.flatMap((list, i) => named(list, nameOfFolder(folder, folders[i]!))) : lists.flat();
  };
  // One after the other, so that of several mistakes always the same one is told.
  const train = await listed('train');
  const validation = await listed('validation');
  return { train, validation, test: await listed('test') };
}

/** What `{site}` stands for in a folder of a pattern. */
function nameOfFolder(pattern: string, folder: string): string {
  const after = pattern.slice(pattern.indexOf(SITE) + SITE.length);
  return basename(after === '' ? folder : folder.slice(0, -after.length));
}

function named(list: readonly SlicePair[], folder: string): SlicePair[] {
  return list.map((pair) => ({ ...pair, name: `${folder}/${pair.name}` }));
}

/** [N, 1, H, W] in memory of its own, which is transferred away. */
function batchOf(loaded: readonly LoadedSlice[], height: number, width: number): SliceBatch {
  const pixels = height * width;
  const source = new Float32Array(loaded.length * pixels);
  const target = new Float32Array(loaded.length * pixels);
  for (const [i, slice] of loaded.entries()) {
    source.set(slice.source, i * pixels);
    target.set(slice.target, i * pixels);
  }
  return { source, target, shape: [loaded.length, 1, height, width] };
}
