/** What handlers log, as workers bring it, the store keeps it and people read it. */
import type { AttemptKey } from './attempts.ts';

export type LogLevel = 'DEBUG' | 'INFO' | 'WARN' | 'ERROR';

export interface LogRecord {
  /** From 1, rising within an attempt; a number that is missing was dropped. */
  readonly sequence: number;
  /** By the worker's clock. */
  readonly timeUs: number;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly truncated: boolean;
}

/** Records of one attempt by rising sequence; those that the store has already are repeated. */
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
  /** Undefined: of all attempts. */
  readonly attempt: number | undefined;
  readonly after: LogPosition;
  /** At most 1,000; a page is shorter where its records come to more than 2 MiB. */
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
