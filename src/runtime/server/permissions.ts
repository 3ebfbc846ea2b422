/**
 * Who may do what at a server, by the role in the certificate.
 *
 * @module
 */
import { RefusedError } from '../../errors';
import type { AdminMethod } from '../../protocol/admin-api';
import type { Identity, Role } from '../../transport/connection';

/** `own`: jobs that they have submitted or cloned themselves; `own-site`: only the part of a site of their organisation. */
export type Permission = 'no' | 'yes' | 'own' | 'own-site';

type AdminRole = 'admin' | 'researcher' | 'site-admin';

const permissions: { readonly [M in AdminMethod]: Readonly<Record<AdminRole, Permission>> } = {
  'server-info': { admin: 'yes', researcher: 'yes', 'site-admin': 'yes' },
  sites: { admin: 'yes', researcher: 'yes', 'site-admin': 'yes' },
  jobs: { admin: 'yes', researcher: 'yes', 'site-admin': 'yes' },
  show: { admin: 'yes', researcher: 'yes', 'site-admin': 'yes' },
  logs: { admin: 'yes', researcher: 'yes', 'site-admin': 'yes' },
  submit: { admin: 'yes', researcher: 'yes', 'site-admin': 'no' },
  // A site judges a job by who has signed it: nobody gets through with what somebody else may.
  clone: { admin: 'yes', researcher: 'own', 'site-admin': 'no' },
  download: { admin: 'yes', researcher: 'yes', 'site-admin': 'no' },
  abort: { admin: 'yes', researcher: 'own', 'site-admin': 'own-site' },
  delete: { admin: 'yes', researcher: 'own', 'site-admin': 'no' },
};

export function permissionOf(role: Role, method: AdminMethod): Permission {
  return role === 'server' || role === 'site' ? 'no' : permissions[method][role];
}

/** What is known of a job when somebody asks for it. */
export interface AskedFor {
  /** Who submitted or cloned the job. */
  readonly owner?: string | undefined;
  /** Whether only the part of a site of the asker's own organisation is meant. */
  readonly ownSite?: boolean;
}

/** @throws RefusedError that says who may. */
export function requirePermission({ name, role }: Identity, method: AdminMethod, about: AskedFor = {}): void {
  const permission = permissionOf(role, method);
  if (permission === 'yes' || (permission === 'own' && about.owner === name)) return;
  if (permission === 'own-site' && about.ownSite === true) return;
  const why = {
    no: `a ${role} may not do that`,
    own: `a ${role} may do that with jobs of their own only, and this one is of '${about.owner}'`,
    'own-site': `a ${role} may end only the part of a site of their own organisation (--site)`,
  }[permission];
  throw new RefusedError(`'${method}' is refused to '${name}': ${why}.`, {
    hint: 'Ask an admin of the project.',
  });
}
