/**
 * What the run cost the sites' privacy: a verdict in words, where its ε stands, and the ledger of every filter call.
 *
 * @module
 */
import { formatEpsilon, formatNumber } from './format';
import { tones } from './header-section';
import { type Html, html, trusted } from './html';
import type { ReportData } from './report-data';
import { type LedgerRow, ledgerOf, verdictOf } from './verdict';

/** Rows shown of a long ledger, half from its start and half from its end. */
const maxRows = 400;

export function privacySection({ entries }: ReportData): Html {
  const verdict = verdictOf(entries);
  const ledger = ledgerOf(entries);
  const total = Math.max(0, ...ledger.map(({ epsilonTotal }) => epsilonTotal));
  return html`<section><h2>Privacy</h2>
<div class="verdict ${tones[verdict.protection]}"><strong>${verdict.badge}</strong><p>${verdict.text}</p></div>
${ledger.length > 0 && html`${scale(total)}${units(ledger)}${table(ledger)}`}</section>`;
}

function units(ledger: readonly LedgerRow[]): Html {
  const all = [...new Set(ledger.map(({ cost }) => `${cost.mechanism}: ${cost.unit}.`))];
  return html`<p class="quiet" style="margin-top:14px">What the numbers are about – ${all.join(' ')} The calls of a site add up (basic composition).</p>`;
}

function table(ledger: readonly LedgerRow[]): Html {
  const isLong = ledger.length > maxRows;
  const first = isLong ? ledger.slice(0, maxRows / 2) : ledger;
  const last = isLong ? ledger.slice(-maxRows / 2) : [];
  const gap = html`<tr><td class="text" colspan="7">${ledger.length - maxRows} more calls, in privacy/ledger.jsonl</td></tr>`;
  return html`<div class="scroll"><table><thead><tr><th class="text">Round</th><th class="text">Site</th><th class="text">Mechanism</th>
<th>ε of the call</th><th>ε so far</th><th>δ</th><th class="text">Details</th></tr></thead>
<tbody>${first.map(row)}${isLong && gap}${last.map(row)}</tbody></table></div>`;
}

function row({ round, site, cost, epsilonTotal }: LedgerRow): Html {
  const details = Object.entries(cost.details).map(([name, value]) => `${words(name)} ${formatNumber(value)}`);
  return html`<tr><td class="text">${round}</td><td class="text">${site}</td><td class="text">${cost.mechanism}${!cost.differentiallyPrivate && ' (not DP)'}</td>
<td>${formatEpsilon(cost.epsilon)}</td><td>${formatEpsilon(epsilonTotal)}</td><td>${formatNumber(cost.delta)}</td><td class="text wrap">${details.join(' · ')}</td></tr>`;
}

/** `epsilonQuery` → `ε query`. */
function words(name: string): string {
  return name.replace(/^epsilon/, 'ε').replace(/(?<=[a-zε])([A-Z])/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** ε of the whole run on a logarithmic scale from 0.01 to 10¹⁰, with what its sizes mean. */
function scale(total: number): Html {
  const x = (epsilon: number): number => 20 + (600 * (Math.log10(Math.min(Math.max(epsilon, 0.01), 1e10)) + 2)) / 12;
  const zone = (from: number, to: number, color: string, text: string): string =>
    `<rect x="${x(from)}" y="34" width="${x(to) - x(from)}" height="10" fill="var(--${color})" opacity=".75"/>` +
    `<text x="${(x(from) + x(to)) / 2}" y="62" text-anchor="middle" font-size="11.5" fill="var(--muted)">${text}</text>`;
  const marker = x(total);
  const anchor = marker > 520 ? 'end' : marker < 120 ? 'start' : 'middle';
  return trusted(`<svg class="chart" style="max-width:640px" viewBox="0 0 640 70" role="img" aria-label="Epsilon of the run on a logarithmic scale">
${zone(0.01, 10, 'c5', 'a real bound: up to 10')}${zone(10, 100, 'c3', 'weak')}${zone(100, 1e10, 'c2', 'no meaningful protection: above 100')}
<path d="M${marker} 32l-6 -9h12z" fill="var(--ink)"/><text x="${marker}" y="17" text-anchor="${anchor}" font-size="13" font-weight="600" fill="var(--ink)">ε = ${formatEpsilon(total)}</text></svg>`);
}
