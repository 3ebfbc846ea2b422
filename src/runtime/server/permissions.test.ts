import { describe, expect, it } from 'vitest';
import { type AdminMethod, adminMethods } from '../../protocol/admin-api';
import { permissionOf, requirePermission } from './permissions';

const identity = (role: 'admin' | 'researcher' | 'site-admin' | 'site') => ({ name: 'ada', role, fingerprint: '' });
const methods = Object.keys(adminMethods) as AdminMethod[];

describe('permissions', () => {
  it('let an admin do everything, and a site or a server nothing', () => {
    for (const method of methods) {
      expect(permissionOf('admin', method)).toBe('yes');
      expect(permissionOf('site', method)).toBe('no');
      expect(permissionOf('server', method)).toBe('no');
    }
  });

  it('let a researcher end only jobs of their own', () => {
    for (const method of ['abort', 'delete'] as const) {
      expect(() => requirePermission(identity('researcher'), method, { owner: 'ada' })).not.toThrow();
      expect(() => requirePermission(identity('researcher'), method, { owner: 'bob' })).toThrow(
        `'${method}' is refused to 'ada': a researcher may do that with jobs of their own only, and this one is of 'bob'.`,
      );
    }
    expect(() => requirePermission(identity('researcher'), 'download')).not.toThrow();
  });

  it('let a site admin look, and end the part of their own site only', () => {
    const allowed = methods.filter((method) => permissionOf('site-admin', method) !== 'no');
    expect(allowed).toEqual(['server-info', 'jobs', 'show', 'logs', 'abort', 'sites']);
    expect(() => requirePermission(identity('site-admin'), 'abort', { ownSite: true })).not.toThrow();
    expect(() => requirePermission(identity('site-admin'), 'abort', { owner: 'ada' })).toThrow('own organisation');
    expect(() => requirePermission(identity('site-admin'), 'submit')).toThrow('a site-admin may not do that');
  });
});
