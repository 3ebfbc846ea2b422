/**
 * What a site and the worker of its training script say to each other.
 *
 * @module
 */
import type { ErrorData } from '../../errors';
import type { NamedTensors } from '../../tensor/tensor';
import type { Json } from '../../util/json';
import type { ExternalReply, ExternalTask } from '../external-trainer';

/** Everything a script's worker is started with. */
export interface ScriptSetup {
  /** Absolute path of the script. */
  readonly file: string;
  readonly name: string;
  readonly job: string;
  readonly folder: string;
  readonly config: Json;
  readonly args: readonly string[];
  readonly seed: number;
  readonly rounds: number;
  readonly state: NamedTensors | undefined;
}

export type ToScript =
  | ({ readonly type: 'task' } & ExternalTask)
  /** No more tasks. `abort`: what is being done counts no more. */
  | { readonly type: 'stop'; readonly how: 'end' | 'abort' };

export type FromScript =
  | { readonly type: 'reply'; readonly reply: ExternalReply }
  | { readonly type: 'progress'; readonly done: number; readonly total: number; readonly loss: number | undefined }
  | { readonly type: 'state'; readonly state: NamedTensors }
  | { readonly type: 'log'; readonly message: string }
  /** The script's function came to its end. */
  | { readonly type: 'ended' }
  /** The script threw, or could not be loaded. `ours`: one of this library's errors, whose message stands for itself. */
  | { readonly type: 'threw'; readonly error: ErrorData; readonly ours: boolean };
