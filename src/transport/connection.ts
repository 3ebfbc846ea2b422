/**
 * One connection between a server and somebody who dialled in, whatever carries it: messages of bytes, in order, until it
 * closes. Who the other end is has been proven before there is a connection.
 *
 * @module
 */

/** What a certificate may be used for. Which role may do what is in `jobs/roles.ts`. */
export const roles = ['server', 'site', 'admin', 'researcher', 'site-admin'] as const;
export type Role = (typeof roles)[number];

/** Who is at the other end: the one name in the certificate, and the certificate itself by its fingerprint. */
export interface Identity {
  readonly name: string;
  readonly role: Role;
  /** SHA-256 of the certificate (DER), hex in lower case without colons. */
  readonly fingerprint: string;
}

export interface CloseReason {
  /** Why, for programs: `gone` when nobody said why. */
  readonly code: CloseCode;
  /** Why, for people; no data values or file paths. */
  readonly message: string;
  /** What to do about it, where somebody can do something. */
  readonly hint?: string;
}

export const closeCodes = [
  'gone',
  'silent',
  'replaced',
  'protocol',
  'version',
  'not-allowed',
  'revoked',
  'too-slow',
  'too-many',
  'stopping',
] as const;
export type CloseCode = (typeof closeCodes)[number];

export interface Connection {
  readonly peer: Identity;
  /** Hands a message, in parts, to the connection. Nothing happens once it is closed. */
  send(parts: readonly Uint8Array[]): void;
  /** Bytes that were handed over and have not gone to the system yet. */
  readonly bufferedBytes: number;
  /** Stops reading until `resume`: the other end is slowed down. */
  pause(): void;
  resume(): void;
  /** Ends it; the other end is told the reason where that is still possible. */
  close(reason: CloseReason): void;
}

/** What becomes of a connection. Set before the first message can come; calls come in order. */
export interface ConnectionHandler {
  message(bytes: Uint8Array): void;
  /** Once. Nothing comes after it. */
  closed(reason: CloseReason): void;
}

/** How a site or an admin reaches the server. Rejects with `ConnectError` saying what stood in the way and what to do. */
export interface Dialer {
  dial(handler: (connection: Connection) => ConnectionHandler, signal: AbortSignal): Promise<Connection>;
}
