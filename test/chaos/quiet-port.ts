import { createServer } from 'node:net';

/** Where the system takes no port for connections that are dialled: a server that is down for a while gets its own again. */
const range = { from: 12_000, length: 18_000 };
let next = (process.pid * 101) % range.length;

/** A port of this machine that nobody listens at, and that stays free while nobody does. */
export async function quietPort(): Promise<number> {
  for (;;) {
    next = (next + 1) % range.length;
    const port = range.from + next;
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer().once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
