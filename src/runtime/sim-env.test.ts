import { expect, it } from 'vitest';
import { SimEnv, type SimEnvOptions } from './sim-env';

it.each([
  [
    'an option that it does not have',
    { workspce: './x' },
    "SimEnv has no option 'workspce'. Did you mean 'workspace'?",
  ],
  ['no thread', { threads: 0 }, 'threads must be a whole number of at least 1, but is 0.'],
  ['half a thread', { threads: 0.5 }, 'threads must be a whole number of at least 1, but is 0.5.'],
])('a simulator with %s is refused', (_, options, message) => {
  expect(() => new SimEnv(options as SimEnvOptions)).toThrow(message);
});
