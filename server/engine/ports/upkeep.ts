/** The store's port: upkeep. */

/** The result of a round of deleting. */
export interface Cleared {
  /** Dropped partitions of whole days. */
  readonly days: number;
  /** Ended jobs deleted one by one. */
  readonly jobs: number;
  /** Other rows: request ids, idempotency keys, closed sessions, and remains of deleted jobs. */
  readonly rows: number;
  /** There is more to delete now. */
  readonly more: boolean;
}

/** Where a round of deleting ends. */
export interface RoundBounds {
  /** The round stops early once this returns true. */
  readonly stopped?: () => boolean;
  /** A time that the replica trusts, in µs: a database's clock ahead of it has stepped, and makes nothing older. */
  readonly latestUs?: number;
}

/** Days, after today, whose partitions are made ahead. */
export const DAYS_AHEAD = 7;

/** Upkeep of the database. */
export interface UpkeepStore {
  /**
   * One bounded round of deleting what is past its retention. Other replicas may run rounds at the same time.
   */
  clearExpired(bounds?: RoundBounds): Promise<Cleared>;
  /**
   * Makes the partitions of today and of the days ahead. Rejects if another transaction is in the way; then jobs of a
   * day without a partition go to the default one.
   */
  ensurePartitions(): Promise<void>;
}
