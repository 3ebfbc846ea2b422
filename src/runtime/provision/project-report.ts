/**
 * What an operator's folder holds: who takes part, and where their kits are.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isConsiliumError } from '../../errors';
import type { Role } from '../../transport/connection';
import { fingerprintOf, parseCertificate } from './certificate';
import type { KitKind } from './kit';
import { kindOf } from './kit-files';
import { kitFolder, type ProjectFolder, readProjectFolder, rosterCopy } from './project-folder';

/**
 * Where a participant's kit is: `made` by this command; `kept` as it was; `away`: no longer in this folder, handed over;
 * `outdated`: the kit here is not the one on the roster; `revoked`.
 */
export type KitState = 'made' | 'kept' | 'away' | 'outdated' | 'revoked';

export interface KitSummary {
  readonly name: string;
  readonly kind: KitKind;
  readonly role: Role;
  readonly org: string;
  readonly state: KitState;
  readonly folder: string;
  readonly fingerprint: string;
  /** Last moment of the certificate's validity, ISO 8601. */
  readonly notAfter: string;
}

export interface ProjectReport {
  readonly project: string;
  readonly out: string;
  /** SHA-256 of the authority's certificate, for people to compare. */
  readonly caFingerprint: string;
  /** Last moment of the authority's validity, ISO 8601. */
  readonly caNotAfter: string;
  /** Of the roster. */
  readonly serial: number;
  /** The roster for the server: in its kit, or, when that was moved away, the copy to put there. */
  readonly roster: string;
  readonly kits: readonly KitSummary[];
}

/** Who takes part, and where their kits are. Changes nothing. @throws ConfigError when the folder holds no project. */
export async function showProject(out: string): Promise<ProjectReport> {
  return reportOn(await readProjectFolder(out), new Set());
}

/** @param made names whose kits were made just now */
export async function reportOn(
  { root, settings, authority, roster }: ProjectFolder,
  made: ReadonlySet<string>,
): Promise<ProjectReport> {
  const ca = parseCertificate(authority.cert, 'ca.pem');
  const kits: KitSummary[] = [];
  for (const { status, ...entry } of roster.entries) {
    const folder = kitFolder(root, entry.name);
    const state =
      status === 'revoked' ? status : made.has(entry.name) ? 'made' : await stateOf(folder, entry.fingerprint);
    kits.push({ ...entry, kind: kindOf(entry.role), state, folder });
  }
  return {
    project: settings.project,
    out: root,
    caFingerprint: fingerprintOf(ca),
    caNotAfter: isoTime(Date.parse(ca.validTo)),
    serial: roster.serial,
    roster: rosterCopy(root, settings) ?? join(root, 'ca', 'roster.json'),
    kits,
  };
}

async function stateOf(folder: string, fingerprint: string): Promise<KitState> {
  const path = join(folder, 'cert.pem');
  if (!existsSync(path)) return 'away';
  try {
    return fingerprintOf(parseCertificate(await readFile(path), path)) === fingerprint ? 'kept' : 'outdated';
  } catch (error) {
    if (isConsiliumError(error, 'ConfigError')) return 'outdated';
    throw error;
  }
}

/** ISO 8601. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
