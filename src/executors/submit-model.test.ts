import { expect, it } from 'vitest';
import { modelOf, numbersOf } from '../../test/support/workflow-rig';
import { withSubmitModel } from './submit-model';
import { trainerExecutor } from './trainer';

const context = { signal: new AbortController().signal, progress: () => {} };
const trainer = () =>
  withSubmitModel(
    trainerExecutor({ train: async () => ({ weights: modelOf(5), steps: 3 }), state: () => modelOf(7) }, 'weight-diff'),
  );
const task = { kind: 'train', round: 0, model: modelOf(2) } as const;
const submit = { kind: 'submit-model', round: 1, model: modelOf(2) } as const;

it('gives the model that was trained last, also after a restart', async () => {
  const first = trainer();
  await first.execute(task, context);
  const second = trainer();
  second.restore(first.state());
  for (const executor of [first, second]) {
    const { payload } = await executor.execute(submit, context);
    expect([payload.kind, payload.steps, numbersOf(payload.tensors)]).toEqual(['weights', 3, [5]]);
  }
  expect([...second.state()!.keys()].sort()).toEqual(['submitted/', 'submitted/w', 'w']);
});

it('says so when it has trained none', async () => {
  await expect(trainer().execute(submit, context)).rejects.toThrow(/trained no model in this run/);
});
