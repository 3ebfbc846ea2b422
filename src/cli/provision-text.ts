import type { KitSummary, ProjectReport } from '../runtime/provision/project-report';
import { outColours } from './colours';

/** A project for people: the authority, and a line on everybody. */
export function provisionText(project: ProjectReport, { fingerprints = false } = {}): string {
  const { project: name, caFingerprint, caNotAfter, kits, serial } = project;
  const widths = (['name', 'role'] as const).map((field) => Math.max(...kits.map((kit) => kit[field].length)));
  const lines = kits.map((kit) => line(kit, widths) + (fingerprints ? `        ${readable(kit.fingerprint)}\n` : ''));
  return `Project ${name}, roster ${serial}. Its authority, valid until ${day(caNotAfter)}, has the fingerprint\n        ${readable(caFingerprint)}\n\n${lines.join('')}`;
}

const marks = {
  made: outColours.green('made   '),
  kept: 'kept   ',
  away: outColours.dim('away   '),
  outdated: outColours.yellow('OLD KIT'),
  revoked: outColours.red('revoked'),
} as const;

function line(
  { name, role, org, state, folder, notAfter }: KitSummary,
  [nameWidth = 0, roleWidth = 0]: readonly number[],
): string {
  const where = state === 'made' || state === 'kept' ? `  ${folder}` : '';
  return `${marks[state]} ${name.padEnd(nameWidth)}  ${role.padEnd(roleWidth)}  until ${day(notAfter)}  ${org}${where}\n`;
}

/** What to do after a change. */
export function rosterStep({ kits, roster, serial }: ProjectReport): string {
  const made = kits.filter(({ state }) => state === 'made').map(({ name }) => name);
  const steps =
    made.length === 0
      ? []
      : [`Hand over, each to its owner only: ${made.slice(0, 10).join(', ')}${made.length > 10 ? ', …' : ''}`];
  const runs = `A server that runs elsewhere needs roster ${serial}: copy ${roster} into its kit; it is followed there.`;
  return [...steps, runs].map((step) => `${outColours.dim('→')} ${step}\n`).join('');
}

function day(iso: string): string {
  return iso.slice(0, 10);
}

/** In groups of four, to be read aloud. */
function readable(fingerprint: string): string {
  return fingerprint.match(/.{1,4}/g)?.join(' ') ?? '';
}
