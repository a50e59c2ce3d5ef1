/** Converts what handlers log to records of bounded size. */
import type { LogLevel } from '../logger.ts';
import { MAX_LOG_FIELDS, MAX_LOG_LINE_BYTES } from './core/base/limits.ts';
import type { LogLine } from './core/sessions/log-tail.ts';

/** Size of a record's number, time, level and framing. */
const FRAME_BYTES = 64;
const encoder = new TextEncoder();
const scratch = new Uint8Array(MAX_LOG_LINE_BYTES);

export function logLine(
  sequence: number,
  timeMs: number,
  level: LogLevel,
  text: string,
  facts: Readonly<Record<string, unknown>> = {},
): LogLine {
  // Whole characters only. Lone surrogates become U+FFFD, as they would in UTF-8.
  const { read, written } = encoder.encodeInto(text, scratch);
  let space = MAX_LOG_LINE_BYTES - written;
  let truncated = read < text.length;
  const fields: { [key: string]: string } = {};
  let count = 0;
  for (const [key, value] of Object.entries(facts)) {
    if (value === undefined) continue;
    const field = fieldText(value).toWellFormed();
    const bytes = Buffer.byteLength(key) + Buffer.byteLength(field);
    if (++count > MAX_LOG_FIELDS || bytes > space) {
      truncated = true;
      continue;
    }
    space -= bytes;
    fields[key.toWellFormed()] = field;
  }
  const message = text.slice(0, read).toWellFormed();
  return { sequence, timeMs, level, message, fields, truncated, bytes: FRAME_BYTES + MAX_LOG_LINE_BYTES - space };
}

/** Never throws: a value that can't be written must not fail the attempt. */
function fieldText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Error) return value.stack ?? String(value);
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return typeof value === 'bigint' ? value.toString() : '(not to be written)';
  }
}
