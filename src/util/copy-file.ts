import { workspaceError } from './atomic-file';
import type { Disk } from './disk';

const pieceBytes = 1 << 20;

/** Copies a file under a name that is new, piece by piece; the bytes are durable, the name is the caller's to flush. @throws WorkspaceError */
export async function copyFile(from: string, to: string, disk: Disk): Promise<void> {
  try {
    const source = await disk.open(from, 'read');
    try {
      const target = await disk.open(to, 'new');
      try {
        const piece = Buffer.allocUnsafe(pieceBytes);
        for (let at = 0; ; ) {
          const count = await source.read(piece, at);
          if (count === 0) break;
          await target.write([piece.subarray(0, count)], at);
          at += count;
        }
        await target.sync();
      } finally {
        await target.close();
      }
    } finally {
      await source.close();
    }
  } catch (error) {
    await disk.remove(to).catch(() => {}); // What was wrong first is the reason.
    throw workspaceError('copy to', to, error);
  }
}
