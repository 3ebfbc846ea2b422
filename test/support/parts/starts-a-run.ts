/** What nobody should write, and everybody does once: a part, and a run of it in the same file. */
import { FedAvgRecipe, SimEnv } from '../../../src';
import { teller } from './marks';

const recipe = new FedAvgRecipe({
  name: 'again',
  sites: 1,
  rounds: 1,
  model: { kind: 'tensors', tensors: { w: [1] } },
  trainer: teller({}),
});
recipe.execute(new SimEnv());
