/**
 * Why a server could not be reached, in words, and what to do about it.
 *
 * @module
 */
import { z } from 'zod';
import { ConnectError, type ConsiliumError, RefusedError } from '../../errors';
import { foreignText } from '../../protocol/wire/foreign-text';
import { certificateFault } from './certificate-fault';

const unreachable = 'Is the network up, and does a firewall let this machine out to that address and port?';
const notOurs =
  'Does the address in the startup kit lead to a Consilium server, and not to a proxy or another program?';

const faults: Readonly<Record<string, readonly [what: string, hint: string]>> = {
  ECONNREFUSED: ['nothing listens there', 'Is the server running, and is the port the right one?'],
  ENOTFOUND: [
    'its name is not known',
    'Is the address in the startup kit right, and does this machine reach a name server?',
  ],
  EAI_AGAIN: ['no name server answers', 'Is the network up?'],
  EHOSTUNREACH: ['no way leads there', unreachable],
  ENETUNREACH: ['no way leads there', unreachable],
  ETIMEDOUT: ['it does not answer', unreachable],
  ECONNRESET: [
    'it closed the connection before it was made',
    'Too many may have connected at once, or a firewall stands between: the next try may succeed.',
  ],
  ERR_TLS_CERT_ALTNAME_INVALID: [
    'its certificate is for other names than this address',
    "Use an address that the certificate names, or add this one to the project and run 'consilium provision renew' for the server.",
  ],
  ERR_SSL_WRONG_VERSION_NUMBER: ['it does not speak TLS', notOurs],
  EPROTO: ['it does not speak TLS as a server of a project does', notOurs],
  ERR_SSL_UNSUPPORTED_PROTOCOL: ['it does not speak TLS 1.3', notOurs],
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: ['it does not speak TLS 1.3', notOurs],
  ERR_OSSL_X509_KEY_VALUES_MISMATCH: [
    'the key and the certificate of the startup kit do not belong together',
    'Install the startup kit anew, as a whole.',
  ],
};

const late: readonly [string, string] = ['it does not answer in time', unreachable];

/** For an error before there was a connection, put in words as a whole: nothing is left that its cause would add. */
export function dialError(cause: Error & { readonly code?: string }, address: string): ConnectError {
  const code = cause.code ?? '';
  const certificate = certificateFault(code);
  const [what, hint] =
    certificate !== undefined
      ? [`its certificate ${certificate.what}`, certificate.hint]
      : (faults[code] ?? (cause.message.includes('timed out') ? late : [cause.message, notOurs]));
  const shown = code === '' ? '' : ` (${code})`;
  return new ConnectError(`Cannot connect to ${address}: ${what}${shown}.`, { hint });
}

/** For a certificate of the project that is not a server's. */
export function wrongServer(address: string): ConnectError {
  const message = `Cannot connect to ${address}: its certificate is of this project, but not that of a server.`;
  return new ConnectError(message, { hint: 'Is the server started with the kit of a server?' });
}

const refusal = z.object({
  code: foreignText(40),
  message: foreignText(2000),
  hint: foreignText(2000).optional(),
});

/** For a server that answers, but not with a connection: in its own words, when it is one of ours. */
export function httpError(address: string, status: number, body: string): ConsiliumError {
  const refused = refusal.safeParse(parsed(body));
  if (!refused.success) {
    return new ConnectError(`Cannot connect to ${address}: it answers with HTTP ${status}.`, { hint: notOurs });
  }
  const { message, hint } = refused.data;
  return new RefusedError(
    `The server at ${address} refuses the connection: ${message}`,
    hint === undefined ? {} : { hint },
  );
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
