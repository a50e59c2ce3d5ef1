/** Times that a statement read from the database's clock, which may have stepped. */

/** Max difference, in µs, to the replica's own time. */
export const TRUSTED_US = 60_000_000;

export function isTrusted(readUs: number, ownUs: number): boolean {
  return Math.abs(readUs - ownUs) <= TRUSTED_US;
}

/** The time that was read if it is trusted, else the replica's own. */
export function trustedTime(readUs: number, ownUs: number): number {
  return isTrusted(readUs, ownUs) ? readUs : ownUs;
}
