/** A queue with one reader. After an interruption it gives what came before, and takes nothing more. */
export function arrivals<T>() {
  const queue: T[] = [];
  let wake = () => {};
  let interrupted = false;
  return {
    /** False when it comes too late to be read. */
    push(item: T): boolean {
      if (interrupted) return false;
      queue.push(item);
      wake();
      return true;
    },
    interrupt(): void {
      interrupted = true;
      wake();
    },
    /** What nobody has read; nothing more is taken. */
    rest(): readonly T[] {
      interrupted = true;
      return queue.splice(0);
    },
    async next(): Promise<T | 'interrupted'> {
      while (!interrupted && queue.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return queue.shift() ?? 'interrupted';
    },
  };
}
