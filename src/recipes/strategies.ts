/**
 * The strategies by name: each is an aggregator × a server optimiser × what a site loads × what it minimises, that is, some fields
 * of a workflow. Any of them can be written into a job by these fields just as well.
 *
 * @module
 */
import { ConfigError } from '../errors';

/** What a strategy may be told; each takes some of these. */
export interface StrategyOptions {
  /**
   * The numbers of the published code of the MRI-translation study where they differ from the papers': all strategies take it, and
   * those without a difference are the same. @default false
   */
  readonly seedExact?: boolean;
  /** FedProx μ. @default 0.01 */
  readonly mu?: number;
  /** Ditto λ: how near a site's own model is held to the global one. @default 0.1 */
  readonly lambda?: number;
  /** Metric of the updates that FedCostWAvg and FedPIDAvg weigh by. @default 'train_loss' */
  readonly metric?: string;
  /** Parts of the names of the shared tensors of FedMRI and FedMix, the encoder's. @default those of the translation U-Net */
  readonly encoder?: readonly [string, ...string[]];
  /** β of FedMRI's contrast term, 100 in the paper's code. The study's FedMRI is without. @default no such term */
  readonly contrast?: number;
  /** Learning rate of the server's optimiser. @default that of the paper's rule */
  readonly serverLearningRate?: number;
  /** Learning rate of the sites, where training code of your own trains by SCAFFOLD. @default none */
  readonly learningRate?: number;
  /** Updates that a trimmed mean leaves out on either side, as a share of all. @default 0.2 */
  readonly share?: number;
  /** Faulty sites that Krum, multi-Krum and Bulyan withstand. @default 1 */
  readonly faulty?: number;
  /** Bound on the distance from the centre, of centred clipping, which needs one. @default none */
  readonly radius?: number;
  /** Bound on the norm of an update, of norm clipping, which needs one. @default none */
  readonly maxNorm?: number;
}

/** Fields of a workflow, its kind among them. */
export interface StrategyFields extends Readonly<Record<string, unknown>> {
  readonly kind: 'fed-avg' | 'scaffold' | 'fed-select';
}

interface Strategy {
  readonly takes: readonly Exclude<keyof StrategyOptions, 'seedExact'>[];
  readonly fields: (options: StrategyOptions) => StrategyFields;
}

/** As the published code of the study calls them: in the encoder's names is one of these. */
const encoderOfUNet = ['inc', 'down'] as const;

const averaging = (fields: Readonly<Record<string, unknown>> = {}): StrategyFields => ({ kind: 'fed-avg', ...fields });
const aggregated = (kind: string, options: Readonly<Record<string, unknown>> = {}) =>
  averaging({ aggregator: { kind, ...options } });
const plain = (fields: StrategyFields): Strategy => ({ takes: [], fields: () => fields });

/** FedOpt, by the rule of Flower 1.4 where it is to be exact: the square starts at 0, and all tensors go through the rule. */
function optimised(kind: 'adam' | 'yogi' | 'adagrad', { seedExact, serverLearningRate }: StrategyOptions) {
  const exact = { initialSquare: 0, statistics: 'optimised' };
  const rate = serverLearningRate !== undefined && { learningRate: serverLearningRate };
  return { serverOptimiser: { kind, ...rate, tau: 1e-3, ...(seedExact && exact) } };
}

const table = {
  fedavg: plain(averaging()),
  fedmean: plain(aggregated('mean')),
  fedprox: {
    takes: ['mu'],
    fields: ({ mu = 0.01, seedExact }) =>
      averaging({ proximalMu: mu, ...(seedExact && { proximalReference: 'epoch' }) }),
  },
  fedadam: { takes: ['serverLearningRate'], fields: (options) => averaging(optimised('adam', options)) },
  fedyogi: { takes: ['serverLearningRate'], fields: (options) => averaging(optimised('yogi', options)) },
  fedadagrad: { takes: ['serverLearningRate'], fields: (options) => averaging(optimised('adagrad', options)) },
  fedavgm: {
    takes: ['serverLearningRate'],
    fields: ({ seedExact, serverLearningRate: learningRate = 1 }) => {
      const exact = seedExact && { statistics: 'optimised' };
      return averaging({ serverOptimiser: { kind: 'sgd', learningRate, momentum: 0.9, ...exact } });
    },
  },
  fedbn: { takes: [], fields: (options) => averaging({ personal: normalisation(options) }) },
  fedmri: {
    takes: ['encoder', 'contrast'],
    fields: (options) => {
      const term = options.contrast !== undefined && { contrast: { beta: options.contrast } };
      return averaging({ aggregator: { kind: 'mean' }, personal: allButEncoder(options), ...term });
    },
  },
  fedcostw: {
    takes: ['metric'],
    fields: ({ metric = 'train_loss' }) => aggregated('cost-weighted', { alpha: 0.5, metric }),
  },
  fedpid: {
    takes: ['metric'],
    fields: ({ metric = 'train_loss', seedExact = false }) =>
      aggregated('pid-weighted', { alpha: 0.45, beta: 0.45, gamma: 0.1, window: 5, absolute: seedExact, metric }),
  },
  fedbadam: {
    takes: ['serverLearningRate'],
    fields: (options) => averaging({ ...optimised('adam', options), personal: normalisation(options) }),
  },
  fedmix: {
    takes: ['serverLearningRate', 'encoder'],
    fields: (options) => averaging({ ...optimised('adam', options), personal: allButEncoder(options) }),
  },
  fedtrimmed: { takes: ['share'], fields: ({ share = 0.2 }) => aggregated('trimmed-mean', { share }) },
  scaffold: {
    takes: ['learningRate'],
    fields: ({ learningRate }) => ({ kind: 'scaffold', ...(learningRate !== undefined && { learningRate }) }),
  },
  fedselect: plain({ kind: 'fed-select' }),
  ditto: { takes: ['lambda'], fields: ({ lambda = 0.1 }) => averaging({ ditto: { lambda } }) },
  median: plain(aggregated('median')),
  krum: { takes: ['faulty'], fields: ({ faulty = 1 }) => aggregated('krum', { faulty }) },
  multikrum: { takes: ['faulty'], fields: ({ faulty = 1 }) => aggregated('multi-krum', { faulty }) },
  bulyan: { takes: ['faulty'], fields: ({ faulty = 1 }) => aggregated('bulyan', { faulty }) },
  geomedian: plain(aggregated('geometric-median')),
  centredclip: {
    takes: ['radius'],
    fields: ({ radius }) => aggregated('centred-clipping', radius === undefined ? {} : { radius }),
  },
  normclip: {
    takes: ['maxNorm'],
    fields: ({ maxNorm }) => aggregated('norm-clipping', maxNorm === undefined ? {} : { maxNorm }),
  },
} as const satisfies Readonly<Record<string, Strategy>>;

function normalisation({ seedExact }: StrategyOptions) {
  return seedExact ? { names: ['norm'] } : 'normalisation';
}

function allButEncoder({ encoder = encoderOfUNet }: StrategyOptions) {
  return { allBut: [...encoder] };
}

export type StrategyName = keyof typeof table;

/** Every strategy, by name. */
export const strategyNames = Object.keys(table) as readonly StrategyName[];

/** The ten that the MRI-translation study compares. */
export const tenStrategies = [
  'fedavg',
  'fedmean',
  'fedprox',
  'fedadam',
  'fedadagrad',
  'fedbn',
  'fedmri',
  'fedcostw',
  'fedpid',
  'fedbadam',
] as const satisfies readonly StrategyName[];

/** Which options a strategy takes, `seedExact` aside. @throws ConfigError for a strategy that there is not */
export function strategyTakes(name: StrategyName): readonly (keyof StrategyOptions)[] {
  return strategyNamed(name).takes;
}

/**
 * The fields of a workflow that make up a strategy: its kind, and what differs from plain federated averaging.
 *
 * @throws ConfigError for a strategy that there is not, and for an option that this one does not take.
 */
export function strategyOf(name: StrategyName, options: StrategyOptions = {}): StrategyFields {
  const { takes, fields } = strategyNamed(name);
  const given = Object.entries(options).flatMap(([option, value]) => (value === undefined ? [] : [option]));
  const idle = given.find((option) => option !== 'seedExact' && !(takes as readonly string[]).includes(option));
  if (idle === undefined) return fields(options);
  throw new ConfigError(`The strategy '${name}' takes no option '${idle}'.`, {
    hint: `It takes ${[...takes, 'seedExact'].join(', ')}.`,
  });
}

function strategyNamed(name: string): Strategy {
  if (Object.hasOwn(table, name)) return table[name as StrategyName];
  throw new ConfigError(`There is no strategy '${name}'.`, { hint: `The strategies are ${strategyNames.join(', ')}.` });
}
