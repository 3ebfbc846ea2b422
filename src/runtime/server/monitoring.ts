/**
 * `/healthz` and `/metrics` over plain HTTP, for monitoring on this machine.
 *
 * @module
 */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ConnectError } from '../../errors';

export interface MonitoringOptions {
  readonly host: string;
  /** 0 takes any that is free. */
  readonly port: number;
  /** What `/healthz` says, as JSON. */
  readonly health: () => object;
  readonly metrics: { readonly contentType: string; text(): Promise<string> };
}

export interface Monitoring {
  readonly port: number;
  close(): Promise<void>;
}

/** @throws ConnectError when the port or the address cannot be had. */
export async function startMonitoring({ host, port, health, metrics }: MonitoringOptions): Promise<Monitoring> {
  const server: Server = http().createServer({ maxHeaderSize: 8192, requestTimeout: 10_000 }, (request, response) => {
    const say = (status: number, type: string, body: string) =>
      response.writeHead(status, { 'content-type': type, connection: 'close' }).end(body);
    const path = request.url?.split('?')[0];
    if (request.method !== 'GET') say(405, 'text/plain', 'Only GET is answered here.\n');
    else if (path === '/healthz') say(200, 'application/json', `${JSON.stringify(health())}\n`);
    else if (path !== '/metrics') say(404, 'text/plain', 'Here are /healthz and /metrics.\n');
    else {
      metrics.text().then(
        (text) => say(200, metrics.contentType, text),
        (error: Error) => say(500, 'text/plain', `${error.message}\n`),
      );
    }
  });
  server.maxConnections = 64;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(cannotListen(cause, host, port)));
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function cannotListen(cause: NodeJS.ErrnoException, host: string, port: number): ConnectError {
  const why = cause.code === 'EADDRINUSE' ? 'the port is taken' : cause.message;
  return new ConnectError(`Cannot listen at ${host}:${port} for /metrics and /healthz: ${why}.`, {
    cause,
    hint: "Choose another 'metricsPort' in server.yaml or site.yaml, or switch them off there.",
  });
}

function http(): typeof import('node:http') {
  return require('node:http');
}
