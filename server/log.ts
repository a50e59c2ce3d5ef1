/**
 * The log of a replica: JSON lines on standard error. A log that is full, or that nobody reads, neither blocks the
 * replica nor ends it: lines wait in a bounded buffer, and those that do not fit are dropped and counted.
 */
import { constants, fstatSync, openSync } from 'node:fs';
import { pino } from 'pino';
import sonicBoom from 'sonic-boom';
import type { Config } from './config.ts';
import type { Log } from './engine/ports/ports.ts';

const STDERR = 2;
const MAX_BUFFER_BYTES = 1 << 20;
/** Max wait for the last lines. */
const FLUSH_MS = 1_000;

export interface ReplicaLog extends Log {
  /** Lines that were dropped so far. */
  readonly droppedLines: () => number;
  /** Resolves once all lines are written, or after a second. Call it before the process ends. */
  flush(): Promise<void>;
}

/**
 * A pipe or a terminal is opened anew, without blocking: the mode of the inherited handle is shared with other
 * processes. A file that is opened anew would have a position of its own.
 */
function openStderr(): number {
  const stats = fstatSync(STDERR);
  if (!stats.isFIFO() && !stats.isCharacterDevice()) return STDERR;
  try {
    return openSync(`/proc/self/fd/${STDERR}`, constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK);
  } catch {
    return STDERR;
  }
}

export function openLog(level: Config['logLevel']): ReplicaLog {
  let dropped = 0;
  let reported = 0;
  let isWritten = true;
  const stream = new sonicBoom.SonicBoom({
    fd: level === 'silent' ? STDERR : openStderr(),
    sync: false,
    maxLength: MAX_BUFFER_BYTES,
  });
  const log = pino({ level, base: null }, stream);
  const writer = (name: keyof Log) => (facts: Record<string, unknown>, message: string) => {
    if (!log.isLevelEnabled(name)) return;
    isWritten = false;
    log[name](facts, message);
  };
  const warn = writer('warn');
  stream.on('drop', () => {
    dropped++;
  });
  // Such as a full disk. The lines stay in the buffer, and the next line tries again.
  stream.on('error', () => {});
  stream.on('drain', () => {
    isWritten = true;
    if (dropped === reported) return;
    warn({ lines: dropped - reported }, 'the log was full or was not read: lines were dropped');
    reported = dropped;
  });
  return {
    info: writer('info'),
    warn,
    error: writer('error'),
    droppedLines: () => dropped,
    flush: () =>
      new Promise((resolve) => {
        if (isWritten) return resolve();
        setTimeout(resolve, FLUSH_MS);
        stream.once('drain', resolve);
      }),
  };
}
