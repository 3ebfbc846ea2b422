/**
 * What OpenSSL has against a certificate, in words, and what to do about it.
 *
 * @module
 */

export interface Fault {
  /** Continues 'the certificate …'. */
  readonly what: string;
  readonly hint: string;
}

const otherAuthority: Fault = {
  what: 'was not issued by the certificate authority of this project',
  hint: 'Are both startup kits from the same project folder, and of the same provisioning? If not, install a new kit.',
};

const faults: Readonly<Record<string, Fault>> = {
  CERT_HAS_EXPIRED: {
    what: 'is out of date',
    hint: "Is the clock right, at both ends? If so, renew the startup kit with 'consilium provision renew' and install it.",
  },
  CERT_NOT_YET_VALID: {
    what: 'is not valid yet',
    hint: 'Set the clock of this machine, or of the other one: the certificate begins after the time that it shows.',
  },
  INVALID_PURPOSE: {
    what: 'is not one for this end of a connection',
    hint: 'A server needs the kit of a server, whoever dials in the kit of a site or a user: are the kits mixed up?',
  },
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: otherAuthority,
  UNABLE_TO_GET_ISSUER_CERT: otherAuthority,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: otherAuthority,
  SELF_SIGNED_CERT_IN_CHAIN: otherAuthority,
  DEPTH_ZERO_SELF_SIGNED_CERT: otherAuthority,
  CERT_SIGNATURE_FAILURE: otherAuthority,
  CERT_UNTRUSTED: otherAuthority,
  INVALID_CA: otherAuthority,
};

/** The words for a code of OpenSSL; `undefined` when it is about something else. */
export function certificateFault(code: string): Fault | undefined {
  return faults[code];
}
