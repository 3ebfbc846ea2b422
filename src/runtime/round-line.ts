/**
 * One round as it stands in `metrics/round_metrics.jsonl`, in the checkpoint and in the report.
 *
 * @module
 */
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { PrivacyCost } from '../privacy/cost';
import { describeCost } from '../privacy/describe-cost';
import { json } from '../util/json';
import type { Participation, RoundReport } from '../workflows/workflow';

const metrics = z.record(z.string(), z.number().nullable());

/** Sums of what sites say: they may go beyond all numbers. */
const amount = z.number().or(z.literal(Number.POSITIVE_INFINITY));
const detail = amount.or(z.literal(Number.NEGATIVE_INFINITY));

const costs = z.strictObject({
  mechanism: z.string(),
  differentiallyPrivate: z.boolean(),
  /** Largest ε that a site was charged in this round. */
  epsilon: amount,
  /** Largest ε that a site was charged up to and with this round (basic composition). */
  epsilonTotal: amount,
  delta: amount,
  unit: z.string(),
  /** What the round's cost is worth, in words. */
  verdict: z.string(),
});

const siteLine = z.strictObject({
  name: z.string(),
  status: z.enum(['ok', 'failed', 'late', 'rejected']),
  reason: z.string().optional(),
  steps: z.int().nonnegative().optional(),
  metrics: metrics.optional(),
  seconds: z.strictObject({ validate: z.number(), train: z.number(), other: z.number() }).optional(),
  /** ε of each filter call of this site in this round. */
  privacy: z
    .array(
      z.strictObject({
        mechanism: z.string(),
        differentiallyPrivate: z.boolean(),
        epsilon: amount,
        delta: amount,
        unit: z.string(),
        details: z.record(z.string(), detail),
      }),
    )
    .optional(),
});

export const roundLine = z.strictObject({
  round: z.int().nonnegative(),
  /** The evaluation of the finished model, after the last round. */
  final: z.literal(true).optional(),
  metrics,
  sites: z.array(siteLine),
  privacy: costs.optional(),
  /** What else came out of the round, by name. */
  results: z.record(z.string(), json).optional(),
  seconds: z.number(),
  /** When the round ended, ISO 8601. */
  time: z.string(),
});
export type RoundLine = z.infer<typeof roundLine>;

/** What a new line must know of the lines before it. */
export interface EarlierLines {
  /** The lines of one round, in order. */
  ofRound(round: number): readonly RoundLine[];
  /** ε that a site was charged so far (basic composition). */
  epsilonOf(site: string): number;
}

/** The line of a report. */
export function lineOf(report: RoundReport, seconds: number, time: Date, before: EarlierLines): RoundLine {
  const ofRound = before.ofRound(report.round);
  const sites = report.sites.map((site) => lineOfSite(site, ofRound));
  const privacy = privacyOf(sites, before);
  return {
    round: report.round,
    ...(report.final && { final: true as const }),
    metrics: { ...report.metrics },
    sites,
    ...(privacy && { privacy }),
    ...(report.results && { results: { ...report.results } }),
    seconds,
    time: time.toISOString(),
  };
}

function lineOfSite(participation: Participation, ofRound: readonly RoundLine[]): RoundLine['sites'][number] {
  const { site, status, reason, update } = participation;
  const privacy = newCosts(participation, ofRound);
  return {
    name: site,
    status,
    ...(reason !== undefined && { reason }),
    ...(update && {
      steps: update.steps,
      metrics: { ...update.metrics },
      seconds: update.seconds,
    }),
    ...(privacy.length > 0 && { privacy: privacy.map((cost) => ({ ...cost })) }),
  };
}

/** An update tells all costs of its round so far; a workflow may report a round in several lines, and each cost stands in one. */
function newCosts({ site, update, spent = update?.privacy ?? [] }: Participation, ofRound: readonly RoundLine[]) {
  const told = ofRound
    .flatMap(({ sites }) => sites.filter(({ name }) => name === site))
    .flatMap(({ privacy = [] }) => privacy);
  return spent.filter((cost) => {
    const at = told.findIndex((known) => isDeepStrictEqual(known, cost));
    if (at >= 0) told.splice(at, 1);
    return at < 0;
  });
}

/** What the round cost the site that it cost most; calls add up (basic composition). */
function privacyOf(sites: RoundLine['sites'], before: EarlierLines): RoundLine['privacy'] {
  const charged = sites.flatMap(({ name, privacy = [] }) => (privacy.length > 0 ? [{ name, privacy }] : []));
  const first = charged[0]?.privacy[0];
  if (!first) return undefined;
  const all = charged.flatMap(({ privacy }) => privacy);
  const cost = {
    mechanism: [...new Set(all.map(({ mechanism }) => mechanism))].join(', '),
    differentiallyPrivate: all.every(({ differentiallyPrivate }) => differentiallyPrivate),
    epsilon: Math.max(...charged.map(({ privacy }) => epsilonOf(privacy))),
    delta: Math.max(...charged.map(({ privacy }) => sum(privacy.map(({ delta }) => delta)))),
  };
  return {
    ...cost,
    epsilonTotal: Math.max(...charged.map(({ name, privacy }) => before.epsilonOf(name) + epsilonOf(privacy))),
    unit: first.unit,
    verdict: describeCost(cost),
  };
}

/** The sum of some costs' ε after what was spent before them. */
export function epsilonOf(costs: readonly Pick<PrivacyCost, 'epsilon'>[], before = 0): number {
  return costs.reduce((total, { epsilon }) => total + epsilon, before);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
