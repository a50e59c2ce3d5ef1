/**
 * The history of a database: its cluster, and the timeline of its write-ahead log. It changes when a standby is promoted
 * or a backup is restored; then rows may be missing that a replica has seen, so nothing that it knows may be used.
 */
import type pg from 'pg';

const text = `
SELECT CASE WHEN NOT pg_is_in_recovery()
            THEN system_identifier || '/' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) END AS history
FROM pg_control_system()`;

/**
 * Undefined: a service that does not show it.
 * @throws Error if the server is a standby: once it is promoted, its connections would have another history unnoticed.
 */
export async function readHistory(client: pg.ClientBase): Promise<string | undefined> {
  const answer = await client.query<{ history: string | null }>(text).catch(() => undefined);
  const history = answer?.rows[0]?.history;
  if (history === null)
    throw Object.assign(new Error('the server is a standby, or recovers from a crash'), { code: '57P03' });
  return history;
}

/** Keeps to the history of the first connection. */
export class HistoryGuard {
  readonly #onChange: ((error: Error) => void) | undefined;
  #first: string | undefined;
  #changed: Error | undefined;

  constructor(onChange: ((error: Error) => void) | undefined) {
    this.#onChange = onChange;
  }

  /** @throws Error if a connection had another history, also for all later calls. */
  check(history?: string): void {
    this.#first ??= history;
    if (!this.#changed && history !== undefined && history !== this.#first) {
      const message = `the database has another history than before (${this.#first}, now ${history}): a standby was promoted, or a backup was restored`;
      this.#changed = Object.assign(new Error(message), { code: '08006' });
      this.#onChange?.(this.#changed);
    }
    if (this.#changed) throw this.#changed;
  }
}
