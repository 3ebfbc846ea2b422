import { basename, resolve } from 'node:path';
import type { ScriptTrainerSpec } from '../jobs/trainer-spec';
import { externalTrainer } from './external-trainer';
import { startScript } from './script/start-script';
import type { Trainer } from './trainer';
import type { TrainingSite } from './training-site';

/** How long training code may take to end when it is asked to, milliseconds. */
const grace = 5000;

/** Training code of the user's own in TypeScript or JavaScript, in a worker of its own. */
export function scriptTrainer(spec: ScriptTrainerSpec, place: TrainingSite, rounds: number): Trainer {
  const { site: name, job, folder, config, seed, log } = place;
  const { script, args, replySeconds } = spec;
  const file = resolve(folder, script);
  return externalTrainer({
    what: `The script '${basename(file)}'`,
    replySeconds,
    start: (state) =>
      startScript({ setup: { file, name, job, folder, config, args, seed, rounds, state }, log, grace }),
  });
}
