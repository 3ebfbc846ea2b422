/**
 * The worker thread of a training script.
 *
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads';
import { errorToData, isConsiliumError } from '../../errors';
import { loadScript } from './load-script';
import { scriptClient } from './script-client';
import type { FromScript, ScriptSetup, ToScript } from './script-messages';

const port = parentPort!;
const setup = workerData as ScriptSetup;
const { site, receive } = scriptClient(setup, post);
port.on('message', (message: ToScript) => receive(message));
void run();

async function run(): Promise<void> {
  try {
    const script = await loadScript(setup.file);
    await script(site);
    post({ type: 'ended' });
  } catch (error) {
    post({ type: 'threw', error: errorToData(error), ours: isConsiliumError(error) });
  } finally {
    port.close();
  }
}

function post(message: FromScript, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}
