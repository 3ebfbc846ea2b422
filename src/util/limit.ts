/**
 * At most so many at a time: returns a function that runs tasks in the order of the calls, each once there is room.
 *
 * @param most ≥ 1.
 */
export function limit(most: number): <T>(task: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (task) => {
    if (running < most) running++;
    else await new Promise<void>((resolve) => waiting.push(resolve)); // Whoever ends hands its place on.
    try {
      return await task();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  };
}
