import { describe, expect, it } from 'vitest';
import { submittedText } from './job-lines';

describe('a submitted job', () => {
  const text = (state: 'queued' | 'running' | 'failed', created: boolean) =>
    submittedText({ job: 'ok-262812db', state, created }, './ada');

  it('is told with how to follow it', () => {
    const follow = '  follow it: npx consilium logs ok-262812db --follow --kit ./ada\n';
    expect(text('queued', true)).toBe(`ok-262812db submitted\n${follow}`);
    expect(text('running', false)).toBe(`ok-262812db was submitted before: running\n${follow}`);
  });

  it('is told with how to run it anew when it was there before and has ended', () => {
    expect(text('failed', false)).toMatch(
      /^ok-262812db was submitted before: .*failed.*\n.*\n {2}run it anew: npx consilium clone ok-262812db --kit \.\/ada\n$/,
    );
  });
});
