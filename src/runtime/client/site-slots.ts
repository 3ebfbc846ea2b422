/**
 * Places for jobs that train at one time: who comes first is served first.
 *
 * @module
 */

export interface Slots {
  /** Resolves once there is a place, with what gives it back. Rejects with the signal's reason when that is aborted before. */
  take(signal: AbortSignal): Promise<() => void>;
}

/** @param count ≥ 1 */
export function siteSlots(count: number): Slots {
  let free = count;
  const waiting: { readonly grant: () => void }[] = [];

  return {
    async take(signal) {
      signal.throwIfAborted();
      if (free > 0) free--;
      else await turn(signal);
      return once(giveBack);
    },
  };

  function turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const place = {
        grant: () => {
          signal.removeEventListener('abort', leave);
          resolve();
        },
      };
      const leave = () => {
        waiting.splice(waiting.indexOf(place), 1);
        reject(signal.reason);
      };
      signal.addEventListener('abort', leave, { once: true });
      waiting.push(place);
    });
  }

  function giveBack(): void {
    const next = waiting.shift();
    if (next) next.grant();
    else free++;
  }
}

function once(act: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    act();
  };
}
