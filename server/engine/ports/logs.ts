/** Logs of handlers: as workers send them, the store keeps them and callers read them. */
import type { AttemptKey } from './attempts.ts';

export type LogLevel = 'DEBUG' | 'INFO' | 'WARN' | 'ERROR';

export interface LogRecord {
  /** From 1, increasing within an attempt; a missing number was dropped. */
  readonly sequence: number;
  /** By the worker's clock. */
  readonly timeUs: number;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly truncated: boolean;
}

/** Records of one attempt by increasing sequence; may include records that the store already has. */
export interface AttemptLog extends AttemptKey {
  readonly records: readonly LogRecord[];
}

/** The last record of a page. */
export interface LogPosition {
  readonly attempt: number;
  readonly sequence: number;
}

export interface LogQuery {
  readonly jobId: string;
  /** Undefined: all attempts. */
  readonly attempt: number | undefined;
  readonly after: LogPosition;
  /** At most 1,000; fewer if the records exceed 2 MiB. */
  readonly limit: number;
}

export interface KeptRecord extends LogRecord {
  readonly attempt: number;
}

export interface LogPage {
  /** By attempt and sequence. */
  readonly records: readonly KeptRecord[];
  readonly hasMore: boolean;
}

/** The newest stored chunk of an attempt. */
export interface NewestLogChunk {
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly bytes: number;
  /** Bytes of all chunks of the attempt. */
  readonly totalBytes: number;
}

/** Logs of attempts. */
export interface LogStore {
  /** The logs whose attempt is open in its session. Locks their runs, so that writers of one attempt take turns. */
  lockLogging(logs: readonly AttemptLog[]): Promise<readonly AttemptLog[]>;
  /** By log, without those that have none. */
  readNewestLogChunks(logs: readonly AttemptLog[]): Promise<ReadonlyMap<AttemptLog, NewestLogChunk>>;
  /** Stores the records after the newest chunk of their attempt. Returns the logs that exceed the bytes of an attempt. */
  appendLogs(
    logs: readonly AttemptLog[],
    newest: ReadonlyMap<AttemptLog, NewestLogChunk>,
  ): Promise<readonly AttemptLog[]>;
  /** Deletes the oldest chunks of these attempts, as far as they exceed the bytes of an attempt. */
  trimLogs(logs: readonly AttemptLog[]): Promise<void>;
  /** The log of a job in any namespace. */
  readLogs(query: LogQuery): Promise<LogPage>;
}

export interface LogTransactions {
  /** At most one log per attempt and session. Skips stored records, and attempts that are not open in their session. */
  saveLogs(logs: readonly AttemptLog[]): Promise<void>;
}
