/**
 * What blobs that are being sent may have under way, all together: a server's memory does not grow with the number of sites
 * that fetch its model at one time.
 *
 * @module
 */
import { maxChunkBytes } from '../protocol/wire/frame';

/** Most bytes of a blob that are under way: sent, and not yet acknowledged. */
export const windowBytes = 2 << 20;

/** Enough for a gigabit a second over a distance of 100 ms. */
const togetherBytes = 16 << 20;

export interface WindowShare {
  /** What one blob may have under way, bytes; at least a chunk. */
  readonly bytes: number;
  begin(): void;
  end(): void;
}

/** Divides what is allowed evenly: whoever takes it slowly keeps nobody waiting. */
export function windowShare(): WindowShare {
  let underway = 0;
  return {
    get bytes() {
      const share = Math.floor(togetherBytes / Math.max(1, underway));
      return Math.max(maxChunkBytes, Math.min(windowBytes, share));
    },
    begin() {
      underway++;
    },
    end() {
      underway--;
    },
  };
}
