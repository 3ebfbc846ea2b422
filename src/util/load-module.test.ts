import { expect, it } from 'vitest';
import { crc32 } from './crc';
import { loadModule } from './load-module';

it('loads the very module that an import gives', async () => {
  const loaded = await loadModule<typeof import('./crc')>(__dirname, 'crc');
  expect(loaded.crc32).toBe(crc32);
});
