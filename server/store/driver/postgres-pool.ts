/**
 * The connections of a replica to PostgreSQL. One that has prepared a statement before a later release changed the
 * columns of its result refuses it for as long as it lives (0A000). Such a refusal retires all connections of that time.
 */
import type pg from 'pg';

export interface Lent {
  readonly client: pg.PoolClient;
  /** Ends the connection once the work is done. */
  readonly end: (reason: Error) => void;
}

export class Connections {
  readonly #pool: pg.Pool;
  readonly #check: () => void;
  readonly #made = new WeakMap<pg.ClientBase, number>();
  /** Raised by each change of a result. */
  #generation = 0;

  /** `check` throws if no connection may be used any more. */
  constructor(pool: pg.Pool, check: () => void) {
    this.#pool = pool;
    this.#check = check;
    // A connection that breaks between two queries has no query to reject: its next query will fail.
    pool.on('connect', (client) => {
      this.#made.set(client, this.#generation);
      client.on('error', () => {});
    });
  }

  /** Lends a connection to `work`. If that throws, the connection ends, unless `recover` resolves with undefined. */
  async use<T>(
    work: (lent: Lent) => Promise<T>,
    recover: (client: pg.PoolClient, error: Error) => Promise<Error | undefined>,
  ): Promise<T> {
    const client = await this.#take();
    let broken: Error | undefined;
    const end = (reason: Error) => {
      broken = reason;
    };
    try {
      return await work({ client, end });
    } catch (error) {
      const failed = error as Error;
      broken ??= this.#retire(client, failed) ? failed : await recover(client, failed);
      throw error;
    } finally {
      client.release(broken);
    }
  }

  async #take(): Promise<pg.PoolClient> {
    for (;;) {
      this.#check();
      const client = await this.#pool.connect();
      if (this.#made.get(client) === this.#generation) return client;
      client.release(true);
    }
  }

  #retire(client: pg.PoolClient, error: unknown): boolean {
    const outdated = isOutdatedPlan(error);
    if (outdated && this.#made.get(client) === this.#generation) this.#generation += 1;
    return outdated || isStandby(error);
  }
}

/** The server was a primary, or is a standby that the address leads to by mistake: another connection may be better. */
const isStandby = (error: unknown) => (error as { code?: unknown }).code === '25006';

/** Nothing was done: the statement was refused because its result would have other columns than when it was prepared. */
export function isOutdatedPlan(error: unknown): boolean {
  const { code, routine } = error as { code?: unknown; routine?: unknown };
  return code === '0A000' && routine === 'RevalidateCachedQuery';
}
