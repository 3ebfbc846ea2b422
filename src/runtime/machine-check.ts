/**
 * What a machine has to offer, looked at before anything is started.
 *
 * @module
 */
import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { availableParallelism, freemem, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { errorToData } from '../errors';
import { createModel, initialise } from '../nn/model';
import { openPredictor } from '../nn/predictor';
import { counted } from '../util/counted';
import { makeFolder } from '../util/make-folder';

export interface Finding {
  /** What was looked at. */
  readonly name: string;
  /** `warning`: jobs run, but look at it. `problem`: they will not. */
  readonly status: 'ok' | 'warning' | 'problem';
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
}

/** What a check found. */
export type Found = Omit<Finding, 'name'>;
type Check = () => Promise<Found>;

export interface ExamineMachineOptions {
  /** The execution provider that is to train. @default 'cpu' */
  readonly provider?: string | undefined;
  /** `private`: the workspace is for this user alone. @default what the system gives a new folder */
  readonly rights?: 'private';
}

/**
 * Nothing is left behind but the workspace folder.
 *
 * @param workspace where runs would go
 */
export async function examineMachine(
  workspace: string,
  { provider = 'cpu', rights }: ExamineMachineOptions = {},
): Promise<readonly Finding[]> {
  return [
    await look('Node.js', node),
    await look('processor', cores),
    await look('memory', memory),
    await look('workspace', () => disk(workspace, rights)),
    await look('onnxruntime', () => engine('cpu')),
    ...(provider === 'cpu' ? [] : [await look('execution provider', () => engine(provider))]),
  ];
}

/** One line of what is looked at; an error is a problem that was found. */
export async function look(name: string, check: Check): Promise<Finding> {
  try {
    return { name, ...(await check()) };
  } catch (error) {
    const { message, hint } = errorToData(error);
    return { name, status: 'problem', message, ...(hint !== undefined && { hint }) };
  }
}

const oldestNode = 20;

async function node(): Promise<Found> {
  const major = Number(process.versions.node.split('.')[0]);
  if (major >= oldestNode) return { status: 'ok', message: process.versions.node };
  return { status: 'problem', message: `${process.versions.node} is too old`, hint: `Install Node.js ${oldestNode}.` };
}

async function cores(): Promise<Found> {
  const count = availableParallelism();
  return { status: 'ok', message: `${counted(count, 'core')}: as many sites train at the same time` };
}

/** What one site needs for the published network on 64³ crops. */
const leastMemory = 2 * 2 ** 30;

async function memory(): Promise<Found> {
  const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  const message = `${gib(freemem())} free of ${gib(totalmem())}`;
  if (freemem() >= leastMemory) return { status: 'ok', message };
  return {
    status: 'warning',
    message,
    hint: `Volumes need about ${gib(leastMemory)} a slot: close programs, or use --threads 1.`,
  };
}

/** What a run of a few rounds with a network of 5 million parameters leaves. */
const leastDisk = 2 ** 30;

async function disk(folder: string, rights: ExamineMachineOptions['rights']): Promise<Found> {
  await makeFolder(dirname(folder)); // Those above it are nobody's secret.
  await makeFolder(folder, rights === 'private' ? 0o700 : undefined);
  await access(folder, constants.W_OK);
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const message = `${folder}, ${(free / 2 ** 30).toFixed(1)} GiB free`;
  const wide = rights === 'private' ? await widerRights(folder) : undefined;
  const hints = [
    ...(free >= leastDisk ? [] : ['Free some space, or choose another --workspace.']),
    ...(wide === undefined ? [] : [`Unless others are to look into it, run: chmod 700 '${folder}'`]),
  ];
  if (hints.length === 0) return { status: 'ok', message };
  const open = wide === undefined ? '' : `; it is open to others than its owner (mode ${wide})`;
  return { status: 'warning', message: `${message}${open}`, hint: hints.join(' ') };
}

/** The mode of a folder that is not for its owner alone. Windows has other rights, which say nothing here. */
async function widerRights(folder: string): Promise<string | undefined> {
  const { mode } = await stat(folder);
  if (process.platform === 'win32' || (mode & 0o077) === 0) return undefined;
  return (mode & 0o777).toString(8).padStart(4, '0');
}

/** Opens a small network and runs it. */
async function engine(provider: string): Promise<Found> {
  const model = createModel({ kind: 'segresnet', initFilters: 8 });
  const predictor = await openPredictor({ model, inputShape: [1, 4, 8, 8, 8], threads: 1, provider });
  const [first] = await predictor.run(initialise(model, 0), new Float32Array(4 * 512));
  if (first === undefined || !Number.isFinite(first))
    return { status: 'problem', message: 'a small network gave no numbers' };
  return { status: 'ok', message: `a small network runs on ${provider === 'cpu' ? 'the CPU' : `'${provider}'`}` };
}
