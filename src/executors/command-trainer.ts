import { ConfigError } from '../errors';
import type { CommandTrainerSpec } from '../jobs/trainer-spec';
import type { Trainer } from './trainer';
import type { TrainingSite } from './training-site';

export function commandTrainer(_spec: CommandTrainerSpec, _site: TrainingSite, _rounds: number): Trainer {
  throw new ConfigError('The command cannot be run yet.');
}
