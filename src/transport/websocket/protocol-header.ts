/**
 * The header by which a server says to whoever connects which versions of the protocol it speaks: before any hello, so that one
 * can look without taking a place.
 *
 * @module
 */
export const protocolHeader = 'Consilium-Protocol';

/** The versions in the header: at most 16, as in a hello. `undefined` when it is absent or says anything else. */
export function protocolsIn(header: string | readonly string[] | undefined): readonly number[] | undefined {
  if (typeof header !== 'string' || !/^[1-9]\d{0,8}(, ?[1-9]\d{0,8}){0,15}$/.test(header)) return undefined;
  return header.split(',').map(Number);
}
