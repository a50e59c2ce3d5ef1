/**
 * The newest unacknowledged log records of an attempt. Only records beyond the maximum size are dropped, oldest first.
 */
import type { LogRecord } from '../../../gen/muster/v1/log_record_pb.ts';
import { LogLevel as WireLevel } from '../../../gen/muster/v1/log_record_pb.ts';
import type { LogLevel } from '../../../logger.ts';
import { MAX_LOG_BYTES } from '../base/limits.ts';

/** A log record of bounded size. A dropped record leaves a gap in the sequence. */
export interface LogLine {
  /** From 1, rising by 1 within an attempt. */
  readonly sequence: number;
  /** Milliseconds since 1970. */
  readonly timeMs: number;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: { [key: string]: string };
  readonly truncated: boolean;
  /** Approximate size in a message. */
  readonly bytes: number;
}

const levels = { debug: WireLevel.DEBUG, info: WireLevel.INFO, warn: WireLevel.WARN, error: WireLevel.ERROR };

export class LogTail {
  #lines: LogLine[] = [];
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  get empty(): boolean {
    return this.#lines.length === 0;
  }

  /** Sequence of the newest record; 0 when there is none. */
  get lastSequence(): number {
    return this.#lines.at(-1)?.sequence ?? 0;
  }

  add(line: LogLine): void {
    this.#lines.push(line);
    this.#bytes += line.bytes;
    while (this.#bytes > MAX_LOG_BYTES && this.#lines.length > 1) this.#shift();
  }

  /** Removes the records up to `sequence`, which have arrived. */
  confirm(sequence: number): void {
    while ((this.#lines[0]?.sequence ?? Number.POSITIVE_INFINITY) <= sequence) this.#shift();
  }

  /** Takes all records. */
  take(): LogLine[] {
    const lines = this.#lines;
    this.#lines = [];
    this.#bytes = 0;
    return lines;
  }

  messages(): LogRecord[] {
    return this.#lines.map(({ sequence, timeMs, level, message, fields, truncated }) => ({
      $typeName: 'muster.v1.LogRecord' as const,
      sequence: BigInt(sequence),
      logTime: {
        $typeName: 'google.protobuf.Timestamp' as const,
        seconds: BigInt(Math.floor(timeMs / 1000)),
        nanos: (timeMs % 1000) * 1_000_000,
      },
      level: levels[level],
      message,
      fields,
      truncated,
      attempt: 0,
      skippedCount: 0n,
    }));
  }

  #shift(): void {
    this.#bytes -= this.#lines.shift()?.bytes ?? 0;
  }
}
