/**
 * Figures of a site for monitoring, as Prometheus reads them.
 *
 * @module
 */
import type { SiteJobState } from '../../protocol/wire/messages';
import type { SiteEvent } from './start-site';

export interface SiteMetrics {
  readonly contentType: string;
  /** The text of `/metrics`. */
  text(): Promise<string>;
  /** What `/healthz` says. */
  health(): object;
  hear(event: SiteEvent): void;
}

/** @param states where the site stands with its jobs */
export function siteMetrics(states: () => readonly SiteJobState[]): SiteMetrics {
  const { Counter, Gauge, Registry } = promClient();
  const registry = new Registry();
  const registers = [registry];
  const started = new Date().toISOString();
  let connected = false;
  let lastTrouble: string | undefined;
  const counter = (name: string, help: string, labelNames: string[]) =>
    new Counter({ name: `consilium_site_${name}`, help, labelNames, registers });
  const connections = counter('connections_total', 'Connections to the server.', []);
  const offers = counter('jobs_offered_total', 'Jobs that were offered, by verdict.', ['verdict']);
  const answers = counter('answers_total', 'Answers, by what became of them.', ['outcome']);
  const failures = counter('failed_tasks_total', 'Tasks that failed here.', []);
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name: `consilium_site_${name}`,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  gauge('connected', 'Whether the site is connected to its server.', () => (connected ? 1 : 0));
  gauge('jobs', 'Jobs that the site takes part in.', () => accepted().length);
  gauge('tasks', 'Tasks that the site works on.', () => accepted().flatMap(({ working }) => working).length);
  gauge('memory_bytes', 'Memory of the process that talks to the server.', () => process.memoryUsage().rss);

  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    health: () => ({
      ...{ status: 'ok', started, connected },
      jobs: accepted().map(({ job, working }) => ({ job, working: working.length > 0 })),
      ...(lastTrouble !== undefined && { lastTrouble }),
    }),
    hear(event) {
      if (event.kind === 'connected') {
        connected = true;
        connections.inc();
      } else if (event.kind === 'disconnected' || event.kind === 'unreachable') {
        connected = false;
        lastTrouble = event.kind === 'disconnected' ? event.reason.message : event.error.message;
      } else if (event.kind === 'job-offered') offers.inc({ verdict: event.verdict });
      else if (event.kind === 'answered') answers.inc({ outcome: event.outcome });
      else if (event.kind === 'task-failed') failures.inc();
    },
  };

  function accepted(): readonly SiteJobState[] {
    return states().filter(({ state }) => state === 'accepted');
  }
}

function promClient(): typeof import('prom-client') {
  return require('prom-client');
}
