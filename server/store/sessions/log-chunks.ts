/** Stored log records: chunks of lines of JSON, small enough that the newest can be kept alone. */
import type { LogLevel, LogRecord } from '../../engine/ports/logs.ts';

/** Max bytes kept per attempt. */
export const MAX_LOG_BYTES = 64 * 1024;
/** Bytes at which a chunk ends. */
export const CHUNK_BYTES = 8 * 1024;

const levels: readonly LogLevel[] = ['DEBUG', 'INFO', 'WARN', 'ERROR'];
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export interface LogChunk {
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly data: Uint8Array;
}

type Line = [
  sequence: number,
  timeUs: number,
  level: number,
  message: string,
  truncated: 0 | 1,
  fields?: LogRecord['fields'],
];

function encodeRecord(record: LogRecord): Uint8Array {
  const { sequence, timeUs, level, message, truncated, fields } = record;
  const line: Line = [sequence, timeUs, levels.indexOf(level), message, truncated ? 1 : 0];
  for (const _ in fields) {
    line.push(fields);
    break;
  }
  return encoder.encode(`${JSON.stringify(line)}\n`);
}

/** The newest of the records that may be kept, in chunks. The first one continues a chunk that has `filled` bytes. */
export function chunksOf(records: readonly LogRecord[], filled: number): LogChunk[] {
  const lines = newest(records.map((record) => ({ sequence: record.sequence, data: encodeRecord(record) })));
  const chunks: LogChunk[] = [];
  let open: typeof lines = [];
  let bytes = filled;
  for (const line of lines) {
    if (open.length > 0 && bytes + line.data.length > CHUNK_BYTES) {
      chunks.push(chunkOf(open));
      [open, bytes] = [[], 0];
    }
    open.push(line);
    bytes += line.data.length;
  }
  if (open.length > 0) chunks.push(chunkOf(open));
  return chunks;
}

interface EncodedLine {
  readonly sequence: number;
  readonly data: Uint8Array;
}

function newest(lines: readonly EncodedLine[]): EncodedLine[] {
  let bytes = 0;
  let from = lines.length;
  while (from > 0 && bytes + (lines[from - 1] as EncodedLine).data.length <= MAX_LOG_BYTES)
    bytes += (lines[--from] as EncodedLine).data.length;
  return lines.slice(from);
}

function chunkOf(lines: readonly EncodedLine[]): LogChunk {
  return {
    firstSequence: (lines[0] as EncodedLine).sequence,
    lastSequence: (lines.at(-1) as EncodedLine).sequence,
    data: Buffer.concat(lines.map((line) => line.data)),
  };
}

export function recordsOf(data: Uint8Array): LogRecord[] {
  const lines = decoder.decode(data).split('\n').slice(0, -1);
  return lines.map((text) => {
    const [sequence, timeUs, level, message, truncated, fields = {}] = JSON.parse(text) as Line;
    return { sequence, timeUs, level: levels[level] as LogLevel, message, fields, truncated: truncated === 1 };
  });
}
