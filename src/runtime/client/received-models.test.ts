import { expect, it } from 'vitest';
import { quickDisk } from '../../../test/support/sim/crash';
import { encodeSafetensors } from '../../tensor/safetensors';
import type { Fetch } from '../../transport/agent-types';
import { sha256Of } from '../../util/sha256';
import { receivedModels } from './received-models';

it('keeps the newest model in memory, and none once it is told to forget it', async () => {
  const bytes = encodeSafetensors(new Map([['w', { dtype: 'float32', shape: [3], data: Float32Array.of(1, 2, 3) }]]));
  const ref = { sha256: sha256Of(bytes), size: bytes.byteLength };
  let fetched = 0;
  const fetch: Fetch = async (_, sink) => {
    fetched++;
    if ((await sink.have()) === 0) await sink.write([bytes], 0);
    await sink.finish();
    await sink.close();
  };
  const models = receivedModels(quickDisk(1).mount(), '/site/models');
  const { signal } = new AbortController();
  const first = await models.receive(ref, fetch, signal);
  expect([...first.get('w')!.data]).toEqual([1, 2, 3]);
  expect(await models.receive(ref, fetch, signal)).toBe(first);
  expect(fetched).toBe(1);
  models.forget();
  const again = await models.receive(ref, fetch, signal);
  expect(again).not.toBe(first);
  expect(again).toEqual(first);
  expect(fetched).toBe(2);
});
