/** Validators, and the parts of a payload that both kinds of schema read. */
import type { Payload } from '../domain/base/payload.ts';
import type { SchemaProblem } from '../engine/ports/ports.ts';

/** The problem of the payload; undefined if it is valid. */
export type Validator = (payload: Payload) => string | undefined;

/** The schema itself is unusable. */
export class UnusableSchema extends Error {
  readonly problem: SchemaProblem;

  constructor(message: string, part: SchemaProblem['part'] = '') {
    super(message);
    this.problem = { part, message };
  }
}

/** Media type without its parameters. */
export function mediaTypeOf(payload: Payload): string {
  return (payload.contentType.split(';', 1)[0] ?? '').trim().toLowerCase();
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The value, or why the bytes are not JSON. */
export function parseJson(data: Uint8Array): { readonly value: unknown } | { readonly fault: string } {
  if (data.length === 0) return { fault: 'is empty, and the schema wants JSON' };
  try {
    return { value: JSON.parse(utf8.decode(data)) };
  } catch (error) {
    return { fault: `is no JSON: ${messageOf(error)}` };
  }
}

/** The message of any thrown value. A stack overflow is described in terms that the caller understands. */
export function messageOf(error: unknown): string {
  if (error instanceof RangeError && /call stack/.test(error.message)) return 'it is nested too deeply';
  return error instanceof Error ? error.message : String(error);
}
