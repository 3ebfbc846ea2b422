/**
 * What the commands share that ask a server: the kit, the connection, Ctrl-C.
 *
 * @module
 */
import { Command } from 'commander';
import { AbortedError } from '../errors';
import { type AdminClient, connectWithKit } from '../runtime/admin/admin-client';
import { type Kit, loadKit } from '../runtime/provision/kit';

export interface KitFlags {
  readonly kit: string;
  readonly json?: boolean;
}

export interface Asked {
  readonly client: AdminClient;
  readonly kit: Kit;
  readonly signal: AbortSignal;
  /** A connection of its own, which is the caller's to close. */
  connect(): Promise<AdminClient>;
}

/** A command with the flags that all of them have. */
export function askingCommand(name: string, json: string, example: string): Command {
  return new Command(name)
    .requiredOption('--kit <dir>', 'your startup kit')
    .option('--json', json)
    .exitOverride()
    .addHelpText('after', `\nExample:\n  ${example}`);
}

/** Connects with the kit, asks, and leaves. Ctrl-C ends the asking. */
export async function withServer<T>({ kit: folder }: KitFlags, ask: (asked: Asked) => Promise<T>): Promise<T> {
  const kit = await loadKit(folder, 'admin');
  const stop = new AbortController();
  const interrupt = (signal: NodeJS.Signals) => stop.abort(new AbortedError(`Stopped by ${signal}.`));
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  const { signal } = stop;
  const connect = () => connectWithKit(kit, signal);
  try {
    const client = await connect();
    const close = () => client.close();
    signal.addEventListener('abort', close, { once: true });
    try {
      return await ask({ client, kit, signal, connect });
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    } finally {
      client.close();
    }
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
}
