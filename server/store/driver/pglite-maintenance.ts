/**
 * Maintenance that PGlite does not do itself: VACUUM, ANALYZE and CHECKPOINT, between other work and never when idle.
 */

export interface MaintenanceTask {
  /** Such as `VACUUM (ANALYZE) muster.job_runs` or `CHECKPOINT`. */
  readonly sql: string;
  readonly ms: number;
  readonly error?: unknown;
}

export interface MaintenanceOptions {
  /** Jobs that end between two rounds of VACUUM. Default 20,000. */
  readonly vacuumJobs?: number;
  /** Work of the database between two rounds of VACUUM, in ms. Default 5,000. */
  readonly vacuumWorkMs?: number;
  /**
   * Max share of the database's time for VACUUM. With a long backlog, whose indexes it reads in full, a round takes
   * long and the next one waits. Default 0.1.
   */
  readonly vacuumShare?: number;
  /** Rows deleted from a table of ended jobs between two rounds of VACUUM of it. Default 10,000. */
  readonly vacuumDeleted?: number;
  /** Write-ahead log between two checkpoints, in bytes. Default 256 MiB. */
  readonly checkpointBytes?: number;
  /** Called for each task that has finished or failed. */
  readonly onTask?: (task: MaintenanceTask) => void;
}

export interface MaintenanceParts {
  /** Appends work to the database's queue. */
  readonly enqueue: (work: () => Promise<void>) => Promise<void>;
  /** Runs one command outside any transaction; resolves with its first row. */
  readonly query: (sql: string) => Promise<Record<string, unknown> | undefined>;
}

/** Tables whose rows are updated or deleted all the time. */
export const hotTables = [
  'job_runs',
  'sessions',
  'job_checkpoints',
  'soft_deadlines',
  'lane_count_changes',
  'lane_counts',
  'outbox',
  'fairness_keys',
  'rate_buckets',
  'reservations',
  'workflow_runs',
  'workflow_steps',
  'step_compensations',
  'step_cache',
  'job_inbox',
  'batches',
  'batch_counts',
  'signal_waits',
  'sent_signals',
  'trigger_causes',
  'job_dependencies',
];

/** Work after which the length of the log is checked: the log exceeds its bound by no more than this work writes. */
const IDLE_AFTER_MS = 500;

const readLogBytes =
  'SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), redo_lsn)::float8 AS bytes FROM pg_control_checkpoint()';

export class PgliteMaintenance {
  readonly #parts: MaintenanceParts;
  readonly #options: MaintenanceOptions;
  #endedJobs = 0;
  #workMs = 0;
  #unseenMs = 0;
  #deleted = new Map<string, number>();
  #vacuumMs = 0;
  #vacuuming = false;
  #polling = false;

  constructor(parts: MaintenanceParts, options: MaintenanceOptions) {
    this.#parts = parts;
    this.#options = options;
  }

  /** Counts ended jobs: their runs are dead rows now. */
  noteEnded(jobs: number): void {
    this.#endedJobs += jobs;
  }

  /** Counts rows deleted by retention: VACUUM makes their space usable again. */
  noteDeleted(table: string, rows: number): void {
    const deleted = (this.#deleted.get(table) ?? 0) + rows;
    const due = deleted >= (this.#options.vacuumDeleted ?? 10_000);
    this.#deleted.set(table, due ? 0 : deleted);
    if (due) void this.#parts.enqueue(async () => void (await this.#run(`VACUUM muster.${table}`)));
  }

  /** Counts time in which the database worked for callers. */
  noteWork(ms: number): void {
    this.#workMs += ms;
    this.#unseenMs += ms;
    if (!this.#vacuuming && this.#isVacuumDue()) void this.#vacuum();
    if (!this.#polling && this.#unseenMs >= IDLE_AFTER_MS) void this.#probe();
  }

  /** For shutdown: the next start has nothing to recover. */
  async checkpoint(): Promise<void> {
    await this.#run('CHECKPOINT');
  }

  #isVacuumDue(): boolean {
    const { vacuumJobs = 20_000, vacuumWorkMs = 5_000, vacuumShare = 0.1 } = this.#options;
    if (this.#vacuumMs > vacuumShare * (this.#vacuumMs + this.#workMs)) return false;
    return this.#endedJobs >= vacuumJobs || this.#workMs >= vacuumWorkMs;
  }

  async #vacuum(): Promise<void> {
    this.#vacuuming = true;
    this.#endedJobs = 0;
    this.#workMs = 0;
    // One queue item per table, so that other work waits for one table at most.
    this.#vacuumMs = 0;
    await Promise.all(
      hotTables.map((table) =>
        this.#parts.enqueue(async () => {
          const ms = await this.#run(`VACUUM (ANALYZE) muster.${table}`);
          this.#vacuumMs += ms;
        }),
      ),
    );
    this.#vacuuming = false;
  }

  async #probe(): Promise<void> {
    this.#polling = true;
    this.#unseenMs = 0;
    await this.#parts.enqueue(async () => {
      const row = await this.#parts.query(readLogBytes).catch(() => undefined);
      if (Number(row?.bytes ?? 0) >= (this.#options.checkpointBytes ?? 256 << 20)) await this.#run('CHECKPOINT');
    });
    this.#polling = false;
  }

  /** Resolves with the duration in ms. Never rejects: a failed task is due again soon, and queries report the problem. */
  async #run(sql: string): Promise<number> {
    const start = performance.now();
    const error = await this.#parts.query(sql).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    const ms = performance.now() - start;
    this.#options.onTask?.({ sql, ms, ...(error === undefined ? {} : { error }) });
    return ms;
  }
}
