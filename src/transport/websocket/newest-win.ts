import type { Connection, Identity } from '../connection';

export interface NewestWin {
  readonly size: number;
  /** Another connection of its identity; the oldest one gives way when there are too many. */
  add(connection: Connection): void;
  remove(connection: Connection): void;
  all(): readonly Connection[];
}

/** Open connections, `most` of each identity: who comes back after a lost connection is not locked out by what is left of it. */
export function newestWin(most: (identity: Identity) => number): NewestWin {
  /** By name, the oldest first. */
  const open = new Map<string, Set<Connection>>();
  let size = 0;
  return {
    get size() {
      return size;
    },
    add(connection) {
      const { name } = connection.peer;
      const own = open.get(name) ?? new Set();
      open.set(name, own.add(connection));
      size++;
      if (own.size <= most(connection.peer)) return;
      const [oldest] = own;
      this.remove(oldest!);
      oldest!.close({
        code: 'replaced',
        message: `'${name}' connected anew; an older connection gives way.`,
        hint: 'If nobody did that on purpose, the same startup kit is in use twice.',
      });
    },
    remove(connection) {
      const { name } = connection.peer;
      const own = open.get(name);
      if (!own?.delete(connection)) return;
      size--;
      if (own.size === 0) open.delete(name);
    },
    all: () => [...open.values()].flatMap((own) => [...own]),
  };
}
