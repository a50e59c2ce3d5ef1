/**
 * Converts log records between the contract and the core. Excess is cut, not refused: a handler's log must not cost its
 * worker a heartbeat.
 */
import { create } from '@bufbuild/protobuf';
import {
  LogRecordSchema,
  LogLevel as WireLevel,
  type LogRecord as WireRecord,
} from '@muster-jobs/sdk/gen/muster/v1/log_record_pb';
import type { KeptRecord, LogLevel, LogPosition, LogRecord } from '../../engine/ports/logs.ts';
import { timestampUs } from '../base/checks.ts';
import { timestampTo } from '../base/convert-payload.ts';
import type { Violations } from '../base/violations.ts';

/** Maximum of a record's message and fields together, in UTF-8 bytes. */
const MAX_RECORD_BYTES = 8 * 1024;
const MAX_FIELDS = 32;
const MAX_SEQUENCE = BigInt(Number.MAX_SAFE_INTEGER);
/** The 64 KiB that are kept can't hold more records than this. */
const MAX_RECORDS = 4_096;

const levels: Readonly<Record<number, LogLevel>> = {
  [WireLevel.DEBUG]: 'DEBUG',
  [WireLevel.INFO]: 'INFO',
  [WireLevel.WARN]: 'WARN',
  [WireLevel.ERROR]: 'ERROR',
};

const none: readonly LogRecord[] = [];

/** The newest records; all of them are checked. */
export function logsFrom(wire: readonly WireRecord[], path: string, violations: Violations): readonly LogRecord[] {
  if (wire.length === 0) return none;
  let before = 0n;
  const from = wire.length - MAX_RECORDS;
  const records: LogRecord[] = [];
  for (const [i, record] of wire.entries()) {
    const good = record.sequence > before && record.sequence <= MAX_SEQUENCE;
    violations.check(
      good,
      `${path}[${i}].sequence`,
      `is ${record.sequence}; must be above ${before} and at most ${MAX_SEQUENCE}`,
    );
    const sequence = Number(record.sequence);
    before = record.sequence;
    const head = headFrom(record, `${path}[${i}]`, violations);
    if (i >= from) records.push({ sequence, ...head, ...textFrom(record) });
  }
  return records;
}

function headFrom(record: WireRecord, path: string, violations: Violations): Pick<LogRecord, 'timeUs' | 'level'> {
  violations.check(record.logTime !== undefined, `${path}.log_time`, 'is missing');
  const timeUs = timestampUs(record.logTime, `${path}.log_time`, violations) ?? 0;
  const level = levels[record.level];
  violations.check(level !== undefined, `${path}.level`, 'must be one of DEBUG, INFO, WARN and ERROR');
  return { timeUs, level: level ?? 'INFO' };
}

function textFrom(record: WireRecord): Pick<LogRecord, 'message' | 'fields' | 'truncated'> {
  const message = cutBytes(record.message, MAX_RECORD_BYTES);
  let space = MAX_RECORD_BYTES - Buffer.byteLength(message);
  const given = Object.entries(record.fields);
  const kept = given.slice(0, MAX_FIELDS).filter(([key, value]) => {
    space -= Buffer.byteLength(key) + Buffer.byteLength(value);
    return space >= 0;
  });
  const truncated = record.truncated || message.length < record.message.length || kept.length < given.length;
  return { message, fields: Object.fromEntries(kept), truncated };
}

/** At most `max` UTF-8 bytes, without splitting characters. */
function cutBytes(text: string, max: number): string {
  if (Buffer.byteLength(text) <= max) return text;
  const bytes = Buffer.from(text);
  let end = max;
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}

/** Each record with the number of its attempt's records that are missing before it. */
export function logsTo(records: readonly KeptRecord[], after: LogPosition): WireRecord[] {
  let { attempt, sequence } = after;
  return records.map((record) => {
    const skipped = record.sequence - (record.attempt === attempt ? sequence : 0) - 1;
    ({ attempt, sequence } = record);
    const logTime = timestampTo(record.timeUs);
    return create(LogRecordSchema, {
      sequence: BigInt(record.sequence),
      ...(logTime ? { logTime } : {}),
      level: WireLevel[record.level],
      message: record.message,
      fields: { ...record.fields },
      truncated: record.truncated,
      attempt: record.attempt,
      skippedCount: BigInt(skipped),
    });
  });
}
