/** Logs of handlers: stored in groups, read in pages. Best effort; a failure never costs an attempt or a lease. */
import { isTerminal } from '../../domain/jobs/job-state.ts';
import { Batcher } from '../base/batcher.ts';
import { asEngineError } from '../base/errors.ts';
import { jobNotFound } from '../jobs/change/cancels.ts';
import type { JobView } from '../ports/jobs.ts';
import type { AttemptLog, LogPage, LogQuery, LogRecord } from '../ports/logs.ts';
import type { Log, Random, Timers } from '../ports/ports.ts';
import type { Store } from '../ports/store.ts';

/** Bytes per row of the batcher's queue, which bounds the queue at 50 MiB. */
const ROW_BYTES = 1024;
const MAX_ROWS = 4_000;

export interface AttemptLogsParts {
  readonly store: Pick<Store, 'saveLogs' | 'readLogs'> & {
    readJob(namespace: string, jobId: string): Promise<JobView | undefined>;
  };
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Log;
  /** Called when new records of these jobs can be read. */
  readonly onStored: (jobIds: readonly string[]) => void;
}

export class AttemptLogs {
  readonly #parts: AttemptLogsParts;
  readonly #batcher: Batcher<readonly AttemptLog[], undefined>;

  constructor(parts: AttemptLogsParts) {
    this.#parts = parts;
    const { store, timers, random, onStored } = parts;
    this.#batcher = new Batcher({
      name: 'log records',
      flush: async (lists) => {
        const logs = oneOfEach(lists.flat());
        await store.saveLogs(logs);
        onStored([...new Set(logs.map(({ jobId }) => jobId))]);
        return lists.map(() => undefined);
      },
      sizeOf: (list) => {
        const bytes = list.reduce((sum, { records }) => sum + records.reduce((all, one) => all + bytesOf(one), 0), 0);
        return { rows: list.length + Math.ceil(bytes / ROW_BYTES), bytes };
      },
      maxRows: MAX_ROWS,
      timers,
      random,
    });
  }

  /**
   * Resolves once they are stored, or dropped because the queue is full. Rejects only if the database did not answer:
   * then the caller's own statement would fail as well.
   */
  async save(logs: readonly AttemptLog[]): Promise<void> {
    try {
      if (logs.length > 0) await this.#batcher.add(logs);
    } catch (error) {
      const { reason, message } = asEngineError(error);
      if (reason === 'STORE_UNAVAILABLE') throw error;
      this.#parts.log.warn({ reason, message, attempts: logs.length }, 'log records were dropped');
    }
  }

  /** Throws JOB_NOT_FOUND. With `ended`, no more records will come. */
  async read(namespace: string, query: LogQuery): Promise<LogPage & { ended: boolean }> {
    const { store } = this.#parts;
    // The job is read first: if it has ended by then, the log is complete.
    const job = await store.readJob(namespace, query.jobId);
    if (!job) throw jobNotFound(namespace, query.jobId);
    return { ...(await store.readLogs(query)), ended: isTerminal(job.state) };
  }
}

function bytesOf({ message, fields }: LogRecord): number {
  let bytes = 64 + message.length;
  for (const key in fields) bytes += key.length + (fields[key]?.length ?? 0);
  return bytes;
}

/** A heartbeat and a report of one attempt may be in one flush, with the same records. */
function oneOfEach(logs: readonly AttemptLog[]): AttemptLog[] {
  const byAttempt = new Map<string, AttemptLog>();
  for (const log of logs) {
    const key = `${log.jobId}/${log.attempt}/${log.sessionId}`;
    const before = byAttempt.get(key);
    byAttempt.set(key, before ? { ...log, records: merged(before.records, log.records) } : log);
  }
  return [...byAttempt.values()];
}

function merged(first: readonly LogRecord[], second: readonly LogRecord[]): LogRecord[] {
  const bySequence = new Map([...first, ...second].map((record) => [record.sequence, record]));
  return [...bySequence.values()].sort((a, b) => a.sequence - b.sequence);
}
