/**
 * Figures of a server for monitoring, as Prometheus reads them.
 *
 * @module
 */
import { jobStates } from '../../protocol/admin-api';
import type { Role } from '../../transport/connection';
import type { FederationServer, ServerEvent } from './federation-server';
import { stateOf } from './stored-job';

export interface ServerMetrics {
  readonly contentType: string;
  /** The text of `/metrics`. */
  text(): Promise<string>;
  hear(event: ServerEvent): void;
  bytes(direction: 'received' | 'sent', role: Role, count: number): void;
  /** A connection was refused, or its other end sent away. */
  refused(code: string): void;
}

/** @param server what is asked when the figures are read; they need it no earlier */
export function serverMetrics(server: () => FederationServer): ServerMetrics {
  const { Counter, Gauge, Registry } = promClient();
  const registry = new Registry();
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Counter({ name: `consilium_${name}`, help, labelNames, registers });
  const answers = counter('answers_total', 'Answers of sites, by what became of them.', ['outcome']);
  const refusals = counter('refused_connections_total', 'Connections that were refused or sent away, by why.', [
    'code',
  ]);
  const bytes = {
    received: counter('received_bytes_total', 'Bytes of messages that came in, by the role of the sender.', ['role']),
    sent: counter('sent_bytes_total', 'Bytes of messages that went out, by the role of the receiver.', ['role']),
  };
  const rounds = counter('rounds_total', 'Rounds that were finished.', []);

  gauge('sites_connected', 'Sites that are connected.', [], (set) => {
    const { hub } = server();
    set({}, hub.sites().filter((site) => hub.status(site).connected).length);
  });
  gauge('jobs', 'Jobs, by their state.', ['state'], (set) => {
    const all = server().store.all();
    for (const state of jobStates) set({ state }, all.filter((job) => stateOf(job) === state).length);
  });
  gauge('job_round', 'Finished rounds of the jobs that run.', ['job'], (set) => {
    for (const job of server().jobs.running()) set({ job: job.id }, job.status().round);
  });
  gauge('job_waiting_seconds', 'How long a job has been waiting for a site.', ['job', 'site'], (set) => {
    for (const job of server().jobs.running()) {
      for (const { site, seconds } of job.status().waiting) set({ job: job.id, site }, seconds);
    }
  });
  gauge('job_stalled_seconds', 'How long nothing has happened in a job; 0 when that is not long.', ['job'], (set) => {
    for (const job of server().jobs.running()) set({ job: job.id }, job.status().stalledSeconds ?? 0);
  });
  gauge('memory_bytes', 'Memory of the process: what it holds in all, and its heap.', ['kind'], (set) => {
    const { rss, heapUsed, external } = process.memoryUsage();
    for (const [kind, value] of Object.entries({ rss, heap: heapUsed, external })) set({ kind }, value);
  });

  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    hear(event) {
      if (event.kind === 'hub' && event.event.kind === 'answered') answers.inc({ outcome: event.event.outcome });
      if (event.kind === 'run' && event.event.kind === 'round-finished' && !event.event.final) rounds.inc();
    },
    bytes: (direction, role, count) => bytes[direction].inc({ role }, count),
    refused: (code) => refusals.inc({ code }),
  };

  /** A figure that is asked for when it is read. */
  function gauge<L extends string>(
    name: string,
    help: string,
    labelNames: L[],
    read: (set: (labels: Partial<Record<L, string>>, value: number) => void) => void,
  ): void {
    new Gauge({
      name: `consilium_${name}`,
      help,
      labelNames,
      registers,
      collect() {
        this.reset(); // What has ended is no longer there.
        read((labels, value) => this.set(labels as Record<L, string>, value));
      },
    });
  }
}

function promClient(): typeof import('prom-client') {
  return require('prom-client');
}
