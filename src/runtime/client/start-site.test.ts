import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { testFederation } from '../../../test/support/federation';
import { nodeDisk } from '../../util/node-disk';
import { verifyAudit } from '../audit';
import { startSite } from './start-site';

it('a site that is told to stop while its server does not answer ends in order', async () => {
  const federation = await testFederation({ server: { hosts: ['127.0.0.1'] } });
  const silent = createServer().listen(0, '127.0.0.1');
  try {
    await once(silent, 'listening');
    const dialled = once(silent, 'connection') as Promise<[Socket]>;
    const kit = federation.folder('site-1');
    const site = await startSite({ kit, port: (silent.address() as AddressInfo).port });
    const [socket] = await dialled;
    await site.stop();
    await site.running;
    expect(await verifyAudit(join(site.workspace, 'audit.jsonl'), nodeDisk)).toMatchObject({ whole: true, records: 2 });
    socket.destroy();
  } finally {
    silent.close();
    await rm(dirname(federation.out), { recursive: true, force: true });
  }
});
