import { describe, expect, it } from 'vitest';
import { cryptoNoise } from './crypto-noise';
import { seededTestNoise } from './seeded-test-noise';

const draw = (source: ReturnType<typeof cryptoNoise>, size = 32): string =>
  Buffer.from(source.fill(new Uint8Array(size))).toString('hex');

describe('cryptoNoise', () => {
  it('says that it is cryptographic and never repeats', () => {
    expect(cryptoNoise().cryptographic).toBe(true);
    expect(draw(cryptoNoise())).not.toBe(draw(cryptoNoise()));
  });

  it('fills the part of a buffer it is given, and only that', () => {
    const bytes = new Uint8Array(96);
    cryptoNoise().fill(bytes.subarray(32, 64));
    expect(bytes.subarray(32, 64).some((byte) => byte !== 0)).toBe(true);
    expect([...bytes.subarray(0, 32), ...bytes.subarray(64)].every((byte) => byte === 0)).toBe(true);
  });
});

describe('seededTestNoise', () => {
  it('says that it is not cryptographic', () => {
    expect(seededTestNoise(1).cryptographic).toBe(false);
  });

  it('is a pure function of the seed and the name', () => {
    expect(draw(seededTestNoise(1, 'site-1', 3))).toBe(draw(seededTestNoise(1, 'site-1', 3)));
    const others = [seededTestNoise(2, 'site-1', 3), seededTestNoise(1, 'site-2', 3), seededTestNoise(1, 'site-1', 4)];
    const all = [seededTestNoise(1, 'site-1', 3), ...others].map((source) => draw(source));
    expect(new Set(all).size).toBe(4);
  });

  it('goes on where it stopped, however it is asked', () => {
    const whole = draw(seededTestNoise(7), 100);
    const source = seededTestNoise(7);
    expect(draw(source, 33) + draw(source, 67)).toBe(whole);
  });
});
