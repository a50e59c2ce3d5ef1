/** Times that a statement read from the database's clock, which may have stepped. */

/** Max distance, in µs, from the replica's own time. */
export const TRUSTED_US = 60_000_000;

/** The time that was read, or the own one of the replica if they differ by more. */
export function trustedTime(readUs: number, ownUs: number): number {
  return Math.abs(readUs - ownUs) <= TRUSTED_US ? readUs : ownUs;
}
