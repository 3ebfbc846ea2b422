/** A slot whose worker ends in the middle of a training task, and answers every other task. */
import { parentPort } from 'node:worker_threads';
import type { SlotReply, SlotRequest } from '../../src/runtime/slot/slot-messages';

parentPort!.on('message', (request: SlotRequest) => {
  if (request.type === 'close') return parentPort!.close();
  if (request.type !== 'task') return;
  const { id, site, task } = request;
  if (task.kind === 'train') throw new Error('out of memory');
  const payload = { kind: 'metrics' as const, tensors: new Map(), metrics: {}, steps: 0 };
  const seconds = { validate: 0, train: 0, other: 0 };
  const update = { site, round: task.round, task: task.kind, payload, privacy: [], seconds };
  parentPort!.postMessage({ type: 'update', id, update } satisfies SlotReply);
});
