import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { onSignals } from './told-to-stop';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

it('takes signals of half a second for one: a terminal and a start script each tell the process', () => {
  const heard: string[] = [];
  const signal = onSignals(
    (name) => heard.push(name),
    () => heard.push('second'),
  );
  signal('SIGINT');
  signal('SIGTERM');
  vi.advanceTimersByTime(400);
  signal('SIGINT');
  expect(heard).toEqual(['SIGINT']);
  vi.advanceTimersByTime(200);
  signal('SIGINT');
  expect(heard).toEqual(['SIGINT', 'second']);
});
