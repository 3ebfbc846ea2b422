import { beforeEach, describe, expect, test } from 'vitest';
import { type SimProcess, type SimTime, simProcess, simTime } from '../../test/support/sim/clock';
import type { CloseReason } from './connection';
import { type Pulse, startPulse, type Vitals } from './pulse';

const idle: Vitals = { bufferedBytes: 0, takenBytes: 0, acknowledgements: 0, chunks: 0, owed: false, paused: false };

let time: SimTime;
let process: SimProcess;
let vitals: Vitals;
let dead: CloseReason[];
let beats: number[];
let pulse: Pulse;

beforeEach(() => {
  time = simTime();
  process = simProcess(time);
  vitals = idle;
  dead = [];
  beats = [];
  const port = {
    peer: 'site-1',
    clock: process.clock,
    vitals: () => vitals,
    beat() {
      beats.push(time.nowMs);
      pulse.said();
    },
    look() {},
    dead(reason: CloseReason) {
      dead.push(reason);
      pulse.stop();
    },
  };
  pulse = startPulse(port, { heartbeatMs: 1000, deadMs: 5000 });
});

/** Lets 20 s pass, changing the vitals and hearing something every 500 ms. */
async function pass(change: (now: Vitals) => Partial<Vitals> = () => ({}), hear = true): Promise<void> {
  for (let i = 0; i < 40; i++) {
    await time.runFor(500);
    vitals = { ...vitals, ...change(vitals) };
    if (hear) pulse.heard();
  }
}

describe('an end is given up', () => {
  test('when nothing comes, unless nothing is read on purpose', async () => {
    vitals = { ...idle, paused: true };
    await pass(undefined, false);
    expect(dead).toEqual([]);
    vitals = idle;
    await pass(undefined, false);
    expect(dead).toMatchObject([{ code: 'silent' }]);
  });

  test('when it takes nothing, not when there is nothing to take', async () => {
    await pass();
    expect(dead).toEqual([]);
    vitals = { ...idle, bufferedBytes: 1000 };
    await pass();
    expect(dead).toMatchObject([{ code: 'too-slow' }]);
  });

  test('not while it takes something, however little, or acknowledges something while the buffer seems to stand still', async () => {
    vitals = { ...idle, bufferedBytes: 1e9 };
    await pass(({ takenBytes }) => ({ takenBytes: takenBytes + 1 }));
    await pass(({ acknowledgements }) => ({ acknowledgements: acknowledgements + 1 }));
    expect(dead).toEqual([]);
  });

  test('when it sends nothing of what it owes, not while it sends', async () => {
    vitals = { ...idle, owed: true };
    await pass(({ chunks }) => ({ chunks: chunks + 1 }));
    expect(dead).toEqual([]);
    await pass();
    expect(dead).toMatchObject([{ code: 'too-slow' }]);
  });
});

describe('beats', () => {
  test('come when nothing else is said, about as often as agreed', async () => {
    await pass();
    expect(beats.length).toBeGreaterThanOrEqual(18);
    expect(beats.length).toBeLessThanOrEqual(23);
  });

  test('do not come while something is said, and follow new times', async () => {
    for (let i = 0; i < 40; i++) {
      await time.runFor(500);
      pulse.heard();
      pulse.said();
    }
    expect(beats).toEqual([]);
    pulse.setTimes({ heartbeatMs: 100, deadMs: 5000 });
    await time.runFor(1000);
    expect(beats.length).toBeGreaterThan(7);
  });
});
