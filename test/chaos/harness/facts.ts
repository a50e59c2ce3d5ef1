/** The store's view of a run in progress. */
import type { Pool } from 'pg';
import { lowestUuid } from '../../../server/domain/base/uuid.ts';
import { stateCodes } from '../../../server/domain/jobs/job-state.ts';
import { attemptOutcomes } from '../../../server/domain/jobs/run.ts';
import { DAY_MS } from '../../../server/store/upkeep/partitions.ts';
import { eventually } from '../../support/base/eventually.ts';

const RECOVERY_MS = 120_000;

export interface Outcome {
  readonly state: number;
  readonly attempt: number;
  readonly result: string | null;
}

export class Facts {
  readonly #database: Pool;
  /** Jobs of earlier days are none of the run. */
  readonly #since = lowestUuid(Date.now() - DAY_MS);

  constructor(database: Pool) {
    this.#database = database;
  }

  /** Queries the store, and repeats the query while it recovers from a crash. */
  query<Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    const ask = async () => (await this.#database.query<Row>(text, [...values])).rows;
    return eventually('the database answers', ask, { timeoutMs: RECOVERY_MS, everyMs: 50 });
  }

  /** Jobs that have not ended. */
  openJobs(): Promise<number> {
    return this.#number('SELECT count(*)::int AS n FROM muster.job_runs');
  }

  async pausedJobs(): Promise<string[]> {
    const text = `SELECT job_id FROM muster.job_runs WHERE state = ${stateCodes.PAUSED} LIMIT 100`;
    return (await this.query<{ job_id: string }>(text)).map((row) => row.job_id);
  }

  endedJobs(): Promise<number> {
    return this.#number('SELECT count(*)::int AS n FROM muster.job_outcomes WHERE job_id >= $1', [this.#since]);
  }

  /** Ended jobs that were assigned to a session after this moment (ms since 1970). */
  grantedSince(ms: number): Promise<number> {
    const text =
      'SELECT count(*)::int AS n FROM muster.job_outcomes WHERE assign_time > to_timestamp($1::float8 / 1000)';
    return this.#number(text, [ms]);
  }

  /** Attempts that a worker stopped by itself because it could not prove its lease. */
  abortedAttempts(): Promise<number> {
    const text = `SELECT count(*)::int AS n FROM muster.job_attempts WHERE outcome = ${attemptOutcomes.ABORTED}`;
    return this.#number(text);
  }

  /** The outcome of a job; undefined while it is open. */
  async outcome(job: string): Promise<Outcome | undefined> {
    const text =
      "SELECT state, attempt, convert_from(result, 'UTF8') AS result FROM muster.job_outcomes WHERE job_id = $1";
    return (await this.query<Outcome>(text, [job]))[0];
  }

  /** Whether the newest session of a worker's life is no longer open. */
  async hasLapsed(worker: string): Promise<boolean> {
    const text = 'SELECT state::int AS n FROM muster.sessions WHERE worker_name = $1 ORDER BY open_time DESC LIMIT 1';
    return (await this.#number(text, [worker])) > 1;
  }

  /** Whether a worker's life has a session. */
  async isOpen(worker: string): Promise<boolean> {
    const text = 'SELECT count(*)::int AS n FROM muster.sessions WHERE worker_name = $1 AND state = 1';
    return (await this.#number(text, [worker])) > 0;
  }

  /** Also one that the store has lost. */
  async isClosed(session: string): Promise<boolean> {
    const text = 'SELECT count(*)::int AS n FROM muster.sessions WHERE session_id = $1 AND state = 1';
    return (await this.#number(text, [session])) === 0;
  }

  /** The definition of each job. */
  async definitions(): Promise<ReadonlyMap<string, string>> {
    const text = 'SELECT job_id AS id, definition FROM muster.jobs JOIN muster.lanes USING (lane_id)';
    const rows = await this.query<{ id: string; definition: string }>(text);
    return new Map(rows.map(({ id, definition }) => [id, definition]));
  }

  sessionsNotClosed(): Promise<number> {
    return this.#number('SELECT count(*)::int AS n FROM muster.sessions WHERE state <> 3');
  }

  /** The open jobs and sessions, for the analysis of a run that makes no progress. */
  async scene(): Promise<string> {
    const jobs = await this.query(`
      SELECT state, count(*)::int AS jobs, min(due_time - clock_timestamp()) AS due, max(clock_timestamp() - assign_time) AS held
      FROM muster.job_runs GROUP BY state ORDER BY state`);
    const sessions = await this.query(`
      SELECT worker_name, state, lease_until - clock_timestamp() AS lease, beats - ping_echo AS behind,
             (SELECT count(*)::int FROM muster.job_runs r WHERE r.session_id = s.session_id) AS held
      FROM muster.sessions s WHERE state <> 3`);
    return [...jobs, ...sessions].map((row) => JSON.stringify(row)).join('\n');
  }

  async #number(text: string, values: readonly unknown[] = []): Promise<number> {
    return (await this.query<{ n: number }>(text, values))[0]?.n ?? 0;
  }
}
