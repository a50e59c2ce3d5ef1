/** The newest log records of an attempt that nobody has acknowledged: a flood drops the oldest, and nothing else. */
import type { LogRecord } from '../../gen/muster/v1/log_record_pb.ts';
import { LogLevel as WireLevel } from '../../gen/muster/v1/log_record_pb.ts';
import type { LogLevel } from '../../logger.ts';
import { MAX_LOG_BYTES } from './limits.ts';

/** A record, cut to size. One that is dropped leaves a gap in the numbers. */
export interface LogLine {
  /** From 1, rising by 1 within an attempt. */
  readonly sequence: number;
  /** Milliseconds since 1970. */
  readonly timeMs: number;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: { [key: string]: string };
  readonly truncated: boolean;
  /** About what it takes in a message. */
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

  /** Number of the newest record; 0 when there is none. */
  get lastSequence(): number {
    return this.#lines.at(-1)?.sequence ?? 0;
  }

  add(line: LogLine): void {
    this.#lines.push(line);
    this.#bytes += line.bytes;
    while (this.#bytes > MAX_LOG_BYTES && this.#lines.length > 1) this.#shift();
  }

  /** What has arrived goes. */
  confirm(sequence: number): void {
    while ((this.#lines[0]?.sequence ?? Number.POSITIVE_INFINITY) <= sequence) this.#shift();
  }

  /** All of them; none are left. */
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
      skipped: 0n,
    }));
  }

  #shift(): void {
    this.#bytes -= this.#lines.shift()?.bytes ?? 0;
  }
}
