/** The process of the clients: connects as it is told to, and says when all are there. */
import { WebSocket } from 'ws';
import { blobRef } from '../../src/protocol/wire/messages';
import { memoryBlob, memorySink } from '../../src/transport/blobs';
import { type Channel, type ChannelMessage, dialChannel } from '../../src/transport/channel';
import { websocketDialer } from '../../src/transport/websocket/client';
import { nodeClock } from '../../src/util/clock';
import type { ClientOrder } from './client-order';

process.once('message', async (order: ClientOrder) => {
  const connect = order.kind === 'bare' ? bareClient : channelClient;
  for (let i = 0; i < order.connections; i += 20) {
    const some = Array.from({ length: Math.min(20, order.connections - i) }, (_, j) => connect(order, i + j));
    await Promise.all(some);
  }
  process.send!('connected');
});

/** Sends back a message of the size of each one that comes. */
async function bareClient({ address, credentials, updateBytes }: ClientOrder, i: number): Promise<void> {
  const update = Buffer.alloc(updateBytes, i + 1);
  const limits = { perMessageDeflate: false, maxPayload: 2 * updateBytes + 1024 };
  const socket = new WebSocket(address, { ...credentials[i % credentials.length]!, ...limits, minVersion: 'TLSv1.3' });
  socket.on('message', () => socket.send(update));
  await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject));
}

/** Fetches whatever it is told of, then offers its update. */
async function channelClient(order: ClientOrder, i: number): Promise<void> {
  const { address, credentials, updateBytes, heartbeatMs } = order;
  const update = memoryBlob([Buffer.alloc(updateBytes, i + 1)]);
  const channel: Channel = await dialChannel(
    websocketDialer({ address, credentials: credentials[i % credentials.length]! }),
    {
      clock: nodeClock,
      heartbeatMs,
      deadMs: 6 * heartbeatMs,
      source: (sha256) => (sha256 === update.ref.sha256 ? update : undefined),
      message: (message) => void exchange(message),
      unreadable: fail,
      closed: ({ code, message }) => code !== 'stopping' && fail(new Error(message)),
    },
    new AbortController().signal,
  );

  async function exchange(message: ChannelMessage): Promise<void> {
    if (message.type !== 'request') return;
    const ref = blobRef.parse(message.params);
    await channel.fetch(ref, memorySink(ref.size), new AbortController().signal).catch(fail);
    channel.send({ type: 'response', id: message.id, result: update.ref });
  }
}

function fail(error: unknown): void {
  console.error(error);
  process.exit(1);
}
