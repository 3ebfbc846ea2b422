/** What `npm run bench -- train` measures. */
export interface Row {
  readonly network: 'segresnet-step' | 'segresnet-inference' | 'unet-step' | 'pflsynth-step';
  /** `[N, C, ...spatial]`. */
  readonly input: readonly number[];
  readonly threads: number;
  /** Whether PyTorch can stand beside it: not where the two together would not fit into memory. */
  readonly peer: boolean;
  /** Where ours runs; the CPU when omitted. PyTorch always runs on the CPU. */
  readonly provider?: string;
}

const cube = (n: number): readonly number[] => [1, 4, n, n, n];
const step = { network: 'segresnet-step', threads: 2, peer: true } as const;
const inference = { network: 'segresnet-inference', threads: 2, peer: true } as const;

export const rows: readonly Row[] = [
  { ...step, input: cube(32) },
  { ...step, input: cube(64) },
  { ...step, input: cube(96) },
  { ...step, input: cube(128) },
  { ...inference, input: cube(64) },
  { ...inference, input: [1, 4, 240, 240, 160] },
  // The translation job's U-Net of 31 million numbers; a generator and one of its discriminators.
  { network: 'unet-step', input: [4, 1, 240, 240], threads: 2, peer: true },
  { network: 'pflsynth-step', input: [1, 1, 256, 256], threads: 2, peer: true },
  // The crop of the published BraTS18 job, for which the original asks for a GPU of 12 GB.
  { ...step, input: [1, 4, 224, 224, 144], peer: false },
];

/** "segresnet-step 1x4x64x64x64": the network, and the input as the JSON spells it. */
export function titleOf({ network, input }: Pick<Row, 'network' | 'input'>): string {
  return `${network} ${input.join('x')}`;
}

/**
 * Whether each word of `only` is in the row's title, upper and lower case alike. Lengths may be joined by x, × or *, and a
 * cube written as a power: 64³ or 64^3 is 64x64x64. Numbers are whole lengths: 4 is not in 64.
 */
export function matches(row: Pick<Row, 'network' | 'input'>, only: string): boolean {
  const title = titleOf(row);
  const words = only
    .toLowerCase()
    .replace(/(\d+)(?:³|\^3)(?!\d)/g, '$1x$1x$1')
    .replace(/(?<=\d)\s*[×*]\s*(?=\d)/g, 'x')
    .split(/\s+/);
  return words.every((word) => {
    const literal = word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    return new RegExp(literal.replace(/^(?=\d)/, '(?<!\\d)').replace(/(?<=\d)$/, '(?!\\d)')).test(title);
  });
}
