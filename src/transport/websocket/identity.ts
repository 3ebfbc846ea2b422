/**
 * Who a certificate says somebody is. That it is a certificate of the project, TLS has proven before.
 *
 * @module
 */
import type { X509Certificate } from 'node:crypto';
import type { PeerCertificate } from 'node:tls';
import { siteName } from '../../protocol/wire/messages';
import { type CloseReason, type Identity, type Role, roles } from '../connection';

/** The extended key usage of a certificate to dial in with. */
const clientAuth = '1.3.6.1.5.5.7.3.2';

/**
 * The identity: exactly one common name, which is the name; exactly one organisational unit, which is the role; and the
 * fingerprint. Or why it is none.
 */
export function identityIn(certificate: X509Certificate): Identity | CloseReason {
  // Several values of a field come as a list, and none as undefined.
  const { CN: name, OU: role } = (certificate.toLegacyObject() as unknown as PeerCertificate).subject ?? {};
  const checked = siteName.safeParse(name);
  if (!checked.success) return wrongField("one name (CN) of a-z, 0-9 and '-'", name);
  if (!isRole(role)) return wrongField(`one role (OU) of ${roles.join(', ')}`, role);
  return { name: checked.data, role, fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase() };
}

/** Whether the certificate may be used to dial in. */
export function isForClients(certificate: X509Certificate): boolean {
  return certificate.keyUsage?.includes(clientAuth) ?? false;
}

/** What OpenSSL would have against the certificate's dates at a time, milliseconds since 1970. */
export function dateFault({ validFrom, validTo }: X509Certificate, nowMs: number): string | undefined {
  if (nowMs < Date.parse(validFrom)) return 'CERT_NOT_YET_VALID';
  return nowMs > Date.parse(validTo) ? 'CERT_HAS_EXPIRED' : undefined;
}

function isRole(value: unknown): value is Role {
  return roles.some((role) => role === value);
}

function wrongField(expected: string, found: unknown): CloseReason {
  const shown = JSON.stringify(found ?? null).slice(0, 80);
  return {
    code: 'not-allowed',
    message: `The certificate was to hold exactly ${expected}, and holds ${shown}.`,
    hint: "Use a startup kit that 'consilium provision' made.",
  };
}
