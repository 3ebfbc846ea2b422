import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { smallProject, type TestFederation, testFederation } from '../../test/support/federation';
import { freePort } from '../../test/support/free-port';
import { protocolVersion } from '../protocol/wire/messages';
import type { CloseReason } from '../transport/connection';
import { protocolsIn } from '../transport/websocket/protocol-header';
import { websocketServer } from '../transport/websocket/server';
import { nodeClock } from '../util/clock';
import { examineKit } from './kit-doctor';
import { reachServer } from './reach-server';

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

async function federationAt(port: number, adminPort = port): Promise<TestFederation> {
  const server = { ...smallProject.server, hosts: ['127.0.0.1', 'localhost'] as [string, string], port, adminPort };
  const federation = await testFederation({ server });
  cleanUp.push(() => rm(dirname(federation.out), { recursive: true, force: true }));
  return federation;
}

/** Listens as the server of the federation, with a clock that is wrong, and notes who came and how they left. */
async function listenAt(
  port: number,
  federation: TestFederation,
  aheadMs: number,
  { admit = true, speaks }: { admit?: true | CloseReason; speaks?: readonly number[] } = {},
) {
  const came: string[] = [];
  const left: CloseReason[] = [];
  const server = await websocketServer({
    host: '127.0.0.1',
    port,
    credentials: (await federation.kit('server')).tls,
    clock: { ...nodeClock, wallMs: () => Date.now() + aheadMs },
    ...(speaks && { speaks }),
    admit: () => admit,
    accept({ peer }) {
      came.push(peer.name);
      return { message: () => came.push('a word'), closed: (reason) => left.push(reason) };
    },
    refused() {},
  });
  cleanUp.push(() => server.close({ code: 'stopping', message: 'The test is over.' }));
  return { came, left };
}

/** What the doctor says of the server and the clock. */
async function said(federation: TestFederation, name: string, withinMs?: number): Promise<string[]> {
  const reach =
    withinMs === undefined ? reachServer : (kit: Parameters<typeof reachServer>[0]) => reachServer(kit, { withinMs });
  const findings = await examineKit(federation.folder(name), { reach });
  return findings
    .filter((finding) => finding.name === 'server' || finding.name === 'clock')
    .map(({ name, status, message, hint }) => `${name} ${status}: ${message} → ${hint}`);
}

it('a site and a person reach their port of the server, say nothing there, and learn whose clock is wrong', async () => {
  const [port, adminPort] = [await freePort(), await freePort()];
  const federation = await federationAt(port, adminPort);
  const forSites = await listenAt(port, federation, 0);
  const forPeople = await listenAt(adminPort, federation, 600_000);
  const answers = 'server ok: it answers, and lets this kit in → undefined';
  expect(await said(federation, 'site-1')).toEqual([answers, expect.stringMatching(/^clock ok: [0-2]\.\d s /)]);
  expect(await said(federation, 'ada')).toEqual([
    answers,
    expect.stringMatching(/^clock warning: (599|600|601)\.\d s behind the server's → Set the clock .*NTP/),
  ]);
  expect([forSites.came, forPeople.came]).toEqual([['site-1'], ['ada']]);
  await expect.poll(() => [...forSites.left, ...forPeople.left].map(({ code }) => code)).toEqual(['gone', 'gone']);
});

it('a server that is down is said with the next step, and so is one that refuses the kit', async () => {
  const port = await freePort();
  const federation = await federationAt(port);
  expect(await said(federation, 'site-1')).toEqual([
    expect.stringMatching(/^server problem: Cannot connect to .*: nothing listens there .* → Is the server running/),
  ]);
  const admit: CloseReason = { code: 'revoked', message: "'site-1' was revoked.", hint: 'Ask the operator.' };
  await listenAt(port, federation, 0, { admit });
  expect(await said(federation, 'site-1')).toEqual([
    expect.stringMatching(/^server problem: The server at .* refuses the connection: 'site-1' was revoked. → Ask the/),
  ]);
});

it('a server that speaks no version of the protocol in common is said so, before the site or the person is sent away', async () => {
  const [port, adminPort] = [await freePort(), await freePort()];
  const federation = await federationAt(port, adminPort);
  const forSites = await listenAt(port, federation, 0, { speaks: [98, 99] });
  await listenAt(adminPort, federation, 0, { speaks: [protocolVersion, 99] });
  expect(await said(federation, 'site-1')).toEqual([
    expect.stringMatching(
      /^server problem: The server speaks version 98, 99 of the protocol, but consilium .* speaks 1\. → Install the same/,
    ),
  ]);
  expect(forSites.came).toEqual(['site-1']);
  expect((await said(federation, 'ada'))[0]).toBe('server ok: it answers, and lets this kit in → undefined');
});

it('what a server says of its versions is read only where it is a short list of numbers', () => {
  expect(protocolsIn('1')).toEqual([1]);
  expect(protocolsIn('1, 2,30')).toEqual([1, 2, 30]);
  const many = Array.from({ length: 17 }, (_, i) => i + 1).join(', ');
  for (const odd of [undefined, '', 'x', '0', '-1', '1.5', '1,', '1;2', '9'.repeat(10), many, ['1', '2']]) {
    expect(protocolsIn(odd)).toBeUndefined();
  }
});

it('a server that takes the connection and says nothing is given up in time', async () => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
  cleanUp.push(() => {
    for (const socket of sockets) socket.destroy();
    silent.close();
  });
  await once(silent, 'listening');
  const federation = await federationAt((silent.address() as AddressInfo).port);
  const start = performance.now();
  expect(await said(federation, 'site-1', 400)).toEqual([
    expect.stringMatching(/^server problem: .*(does not answer in time|did not answer within).* → Is the network up/),
  ]);
  expect(performance.now() - start).toBeLessThan(5000);
});
