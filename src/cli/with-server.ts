/**
 * What the commands share that ask a server: the kit, the connection, Ctrl-C.
 *
 * @module
 */
import { Command } from 'commander';
import { AbortedError, errorFromData, errorToData, isConsiliumError } from '../errors';
import { type AdminClient, connectWithKit } from '../runtime/admin/admin-client';
import { type Kit, loadKit } from '../runtime/provision/kit';
import { shellWord } from './shell-word';

export interface KitFlags {
  readonly kit: string;
  readonly json?: boolean;
}

export interface Asked {
  readonly client: AdminClient;
  readonly kit: Kit;
  /** The kit as a word of a shell, for commands that are shown. */
  readonly kitWord: string;
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
      return await ask({ client, kit, kitWord: shellWord(folder), signal, connect });
    } catch (error) {
      throw signal.aborted ? signal.reason : withKit(error, shellWord(folder));
    } finally {
      client.close();
    }
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
}

/** The server cannot know where the kit is: commands in its hints are given with it here, as they can be pasted. */
export function withKit(error: unknown, kitWord: string): unknown {
  if (!isConsiliumError(error) || error.hint === undefined) return error;
  const commands = /\bconsilium (jobs|sites|show|logs|abort|clone|delete|download)( [\w.-]+)*/g;
  const hint = error.hint.replace(commands, (command) =>
    command.includes(' --kit') ? command : `${command} --kit ${kitWord}`,
  );
  return hint === error.hint ? error : errorFromData({ ...errorToData(error), hint });
}
