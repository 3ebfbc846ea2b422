import { basename } from 'node:path';
import { findProgram } from '../jobs/own-code';
import type { CommandTrainerSpec } from '../jobs/trainer-spec';
import { startCommand } from './command/start-command';
import { externalTrainer } from './external-trainer';
import type { Trainer } from './trainer';
import type { TrainingSite } from './training-site';

/** How long a program may take to end, milliseconds: when it is asked to, and when its task is given up. */
const grace = { end: 5000, abort: 1000 };

/** Training code in any language, in a process of its own that speaks frames over its standard input and output. */
export function commandTrainer(spec: CommandTrainerSpec, place: TrainingSite, rounds: number): Trainer {
  const [name = '', ...args] = spec.command;
  const program = findProgram(name, place.folder) ?? name;
  return externalTrainer({
    what: `The program '${basename(name)}'`,
    replySeconds: spec.replySeconds,
    start: (state) => startCommand({ command: [program, ...args], place, rounds, state, grace }),
  });
}
