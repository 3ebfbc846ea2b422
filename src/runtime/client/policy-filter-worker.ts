/**
 * The thread of a policy's filters: apart from the network, which it must not hold up, and in another process than the code of
 * jobs, which cannot touch it. One payload at a time; one account of privacy for all jobs.
 *
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads';
import { errorToData } from '../../errors';
import { applyFilters, type Filter } from '../../filters/filter';
import { loadModules } from '../../jobs/load-modules';
import type { PrivacyCost } from '../../privacy/cost';
import { totalSpent } from '../../privacy/ledger';
import { noiseOf } from '../noise';
import { openLedger } from '../site-ledger';
import type { ReadPolicy } from './policy';
import type {
  Outgoing,
  Passed,
  PolicyFilterReply,
  PolicyFilterRequest,
  PolicyFilterSetup,
} from './policy-filter-messages';
import { policyFilters } from './policy-filters';

const port = parentPort!;
const { site, workspace, testNoiseSeed } = workerData as PolicyFilterSetup;
const ledger = openLedger(workspace);
ledger.catch(() => {}); // Every payload is blocked by it.
const noise = noiseOf(testNoiseSeed, `${site}/policy`);
const known = new Map<string, readonly Filter[]>();
const running = new Map<number, AbortController>();
let queue: Promise<void> = Promise.resolve();

port.on('message', (request: PolicyFilterRequest) => {
  if (request.type === 'close') {
    void queue.then(() => port.close());
  } else if (request.type === 'abort') {
    running.get(request.id)?.abort();
  } else {
    const { id } = request;
    const controller = new AbortController();
    running.set(id, controller);
    queue = queue
      .then(() => filter(request, controller.signal))
      .then(
        (passed) => reply({ type: 'passed', id, ...passed }),
        (error: unknown) => reply({ type: 'failed', id, error: errorToData(error) }),
      )
      .finally(() => running.delete(id));
  }
});

async function filter({ policy, job, task, round, payload }: Outgoing, signal: AbortSignal): Promise<Passed> {
  const { entries, book } = await ledger;
  // A repeated round costs again, and what an earlier attempt cost stays spent.
  const costs: PrivacyCost[] = entries
    .filter((entry) => entry.job === job && entry.round === round)
    .map(({ cost }) => cost);
  const filtered = await applyFilters(filtersOf(policy), payload, {
    ...{ site, task, round, signal },
    noise: noise(round),
    spent: (name) => totalSpent(entries, site, name).epsilon,
    async charge(name, cost) {
      await book({ site, job, filter: name, round, task, cost });
      costs.push(cost);
    },
  });
  return { payload: filtered, costs };
}

function filtersOf({ policy, folder, sha256 }: ReadPolicy): readonly Filter[] {
  let filters = known.get(sha256);
  if (!filters) {
    loadModules(policy.modules, folder);
    filters = policyFilters(policy);
    known.set(sha256, filters);
  }
  return filters;
}

function reply(message: PolicyFilterReply): void {
  port.postMessage(message);
}
