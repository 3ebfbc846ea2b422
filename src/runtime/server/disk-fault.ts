import { isConsiliumError } from '../../errors';
import { diskTrouble } from '../../util/atomic-file';

/** What people elsewhere are told of a server's disk that fails. Its log names the file. */
export interface DiskFault {
  readonly message: string;
  /** What to do next, for people who cannot reach that disk. */
  readonly hint: string;
}

/** A failure of the server's disk as it is told elsewhere; nothing for other errors. */
export function diskFault(error: unknown): DiskFault | undefined {
  const what = diskTrouble(error);
  if (what === undefined && !isConsiliumError(error, 'WorkspaceError')) return undefined;
  const { why = 'its log says why', code = '', isFull = false } = what ?? {};
  return {
    message: `The server cannot work on its disk: ${why}${code === '' ? '' : ` (${code})`}.`,
    hint: isFull
      ? "Whoever runs the server has to make room there; its log names the file. Ask them, and look with 'consilium jobs'."
      : 'Whoever runs the server has to look at its disk; its log names the file.',
  };
}
