/** Shows payloads: JSON indented, text as it is, other bytes by their number. */
import type { Payload } from '@muster-jobs/sdk/grpc';
import { printableLines } from './printable.ts';

const decoder = new TextDecoder('utf-8', { fatal: true });
const MAX_LINES = 200;

/** Lines that show the payload. */
export function payloadLines({ data, contentType }: Payload): string[] {
  const text = textOf(data);
  if (text === undefined) return [`${data.length} bytes${contentType ? ` of ${contentType}` : ''}`];
  const lines = printableLines(pretty(text));
  if (lines.length <= MAX_LINES) return lines;
  return [...lines.slice(0, MAX_LINES), `… ${lines.length - MAX_LINES} more lines`];
}

function textOf(data: Uint8Array): string | undefined {
  try {
    return decoder.decode(data);
  } catch {
    return undefined;
  }
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
