import { expect, it } from 'vitest';
import { isConsiliumError, summaryOf } from '../../errors';
import { refusedFor } from './refused-for';

it('what the submitter is told has its next step whole, however long the reason is', () => {
  const error = refusedFor('r'.repeat(3000), { hint: 'Ask. And wait.' });
  expect(isConsiliumError(error, 'RefusedError')).toBe(true);
  expect(summaryOf(error)).toHaveLength(2000);
  expect(summaryOf(error)).toMatch(/r\. Ask\. And wait$/);
});
