/**
 * The process of one job at a site: it makes the job ready, and its slot trains. This thread stays free, so that it hears the
 * agent at any time, and ends with it.
 *
 * @module
 */
import { errorToData, InternalError } from '../../errors';
import { type Slot, startSlot } from '../slot/slot';
import { defaultSessionThreads } from '../slot/slots';
import type { JobProcessReply, JobProcessRequest, SiteJobSetup } from './job-process-messages';
import { prepareSiteJob } from './prepare-site-job';

const running = new Map<number, AbortController>();
let slot: Slot | undefined;
let site = '';

// Ctrl-C in a terminal, and whoever ends a service, reach every process: it is the agent that ends this one in order.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
// The agent is gone, however that came: nothing that this process does is wanted any more.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));

process.on('message', (request: JobProcessRequest) => {
  if (request.type === 'prepare') prepare(request.setup).catch((error: unknown) => fail(error));
  else if (request.type === 'task') void run(request);
  else if (request.type === 'abort') running.get(request.id)?.abort();
  else void close();
});

async function prepare(setup: SiteJobSetup): Promise<void> {
  const found = await prepareSiteJob(setup, (message) => log('info', message));
  if (!('job' in found)) return reply({ type: 'unfit', ...found });
  const { job, images, cases } = found;
  const { settings, files, folder, testNoiseSeed } = setup;
  site = setup.site;
  slot = startSlot({
    setup: {
      job,
      folder: files,
      sessionThreads: settings.sessionThreads ?? job.engine.sessionThreads ?? defaultSessionThreads(settings.slots),
      testNoiseSeed,
      sites: [{ name: site, folder, cases, images }],
    },
    // One task at a time: what progresses is the one in hand.
    onProgress: (_site, _round, progress) => {
      for (const id of running.keys()) reply({ type: 'progress', id, progress });
    },
    onLog: (_site, level, message) => log(level, message),
    onLost: (reason) => log('warn', `The training thread is gone: ${reason}. The next task starts another.`),
  });
  reply({ type: 'prepared', job: found.prepared });
}

async function run({ id, task }: Extract<JobProcessRequest, { type: 'task' }>): Promise<void> {
  const controller = new AbortController();
  running.set(id, controller);
  try {
    if (!slot) throw new InternalError('A task came before its job.');
    const update = await slot.run(site, task, controller.signal);
    reply({ type: 'update', id, update });
    slot.release(update); // The message has its own copy of the numbers.
  } catch (error) {
    fail(error, id);
  } finally {
    running.delete(id);
  }
}

async function close(): Promise<void> {
  for (const controller of running.values()) controller.abort();
  await slot?.close();
  process.removeAllListeners('disconnect');
  process.disconnect();
}

function fail(error: unknown, id?: number): void {
  reply({ type: 'failed', ...(id !== undefined && { id }), error: errorToData(error) });
}

function log(level: 'info' | 'warn', message: string): void {
  reply({ type: 'log', level, message });
}

function reply(message: JobProcessReply): void {
  process.send?.(message);
}
