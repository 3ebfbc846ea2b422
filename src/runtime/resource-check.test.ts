import { totalmem } from 'node:os';
import { describe, expect, it } from 'vitest';
import { resourcesOf } from './client/site-resources';
import { resourceFindings } from './resource-check';

const asks = (memoryMb: number, gpus = 0) => ({ resources: { memoryMb, gpus } });
const offered = { memoryMb: 25_276, gpus: 0 };
const lines = (job: ReturnType<typeof asks>, site?: string, has = offered) =>
  resourceFindings({ job, offered: has, ...(site !== undefined && { site }) }).map(
    ({ name, status, message, hint }) => `${name} ${status}: ${message} → ${hint}`,
  );

describe('what a job asks for at a site', () => {
  it('is looked at up to the last megabyte and GPU', () => {
    expect(lines(asks(25_276))).toEqual([
      'job memory ok: 25276 MB of 25276 → undefined',
      'job GPUs ok: asks for none → undefined',
    ]);
    expect(lines(asks(25_277))[0]).toMatch(/^job memory warning: the job asks for 25277 MB .* has 25276: .* for ever/);
    expect(lines(asks(0, 1), 'site-1', { ...offered, gpus: 1 })[1]).toBe('job GPUs ok: 1 of 1 → undefined');
  });

  it('is in the way of a site whose settings offer less, with where that is said', () => {
    expect(lines(asks(900_000, 1), 'site-1')).toEqual([
      expect.stringMatching(
        /^job memory problem: .*900000 MB at each site, and 'site-1' has 25276.* → .*memoryMb in site\.yaml/,
      ),
      expect.stringMatching(
        /^job GPUs problem: .*1 GPU at each site, and 'site-1' offers 0.* → .*'provider' in site\.yaml/,
      ),
    ]);
    expect(lines(asks(0, 2), 'site-1', { ...offered, gpus: 1 })[1]).toMatch(
      /2 GPUs at each site.*a site offers one GPU at most/,
    );
  });

  it('is held against what the site tells the server: its settings, else the machine', () => {
    const machine = Math.floor(totalmem() / 1e6);
    expect(resourcesOf({ slots: 2, memoryMb: undefined, provider: undefined })).toEqual({
      ...{ slots: 2, memoryMb: machine, gpus: 0 },
    });
    expect(resourcesOf({ slots: 1, memoryMb: 500, provider: 'cuda:1' })).toEqual({ slots: 1, memoryMb: 500, gpus: 1 });
    expect(resourcesOf({ slots: 1, memoryMb: 500, provider: 'cpu' }).gpus).toBe(0);
  });
});
