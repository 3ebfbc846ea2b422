import { expect, test } from 'vitest';
import { type BlobSender, blobSender } from './blob-sender';
import { memoryBlob } from './blobs';
import { windowShare } from './window-share';

const KiB = 1 << 10;

test('blobs under way share 16 MiB evenly, at most 2 MiB and at least a chunk each', () => {
  const share = windowShare();
  const bytesWith = (blobs: number): number => {
    for (let i = 0; i < blobs; i++) share.begin();
    const { bytes } = share;
    for (let i = 0; i < blobs; i++) share.end();
    return bytes;
  };
  expect([1, 8, 16, 32, 64, 1000].map(bytesWith)).toEqual([
    2048 * KiB,
    2048 * KiB,
    1024 * KiB,
    512 * KiB,
    256 * KiB,
    256 * KiB,
  ]);
  expect(share.bytes).toBe(2048 * KiB);
});

test('sites that fetch at one time are sent less each before they acknowledge, and one alone goes on with a window of its own', () => {
  const share = windowShare();
  const model = memoryBlob([new Uint8Array(8 << 20)]);
  const fetching = Array.from({ length: 32 }, () => {
    const site = { sent: 0, sender: undefined as unknown as BlobSender };
    site.sender = blobSender({
      bufferedBytes: 0,
      share,
      source: () => model,
      unreadable: expect.unreachable,
      send(_, parts = []) {
        for (const part of parts) site.sent += part.byteLength;
      },
    });
    return site;
  });
  for (const { sender } of fetching) sender.want({ type: 'want', stream: 1, blob: model.ref, offset: 0 });
  const before = fetching.map(({ sent }) => sent / KiB);
  expect([before[0], before.at(-1)]).toEqual([2048, 512]); // The first ones began alone.
  for (const { sender, sent } of fetching) sender.got({ type: 'got', stream: 1, offset: sent });
  expect(fetching.map(({ sent }, i) => sent / KiB - before[i]!)).toEqual(Array(32).fill(512));
  const [last, ...others] = fetching.reverse();
  for (const { sender } of others) sender.stop();
  last!.sender.got({ type: 'got', stream: 1, offset: last!.sent });
  expect(last!.sent / KiB).toBe(1024 + 2048);
});
