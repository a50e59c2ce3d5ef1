/** What a schema becomes once it can be used, and what both kinds of schema read of a payload. */
import type { Payload } from '../domain/base/payload.ts';
import type { SchemaProblem } from '../engine/ports/ports.ts';

/** What is wrong with the payload; undefined: nothing. */
export type Validator = (payload: Payload) => string | undefined;

/** The schema itself is of no use. */
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

/** The value, or what keeps the bytes from being JSON. */
export function parseJson(data: Uint8Array): { readonly value: unknown } | { readonly fault: string } {
  if (data.length === 0) return { fault: 'is empty, and the schema wants JSON' };
  try {
    return { value: JSON.parse(utf8.decode(data)) };
  } catch (error) {
    return { fault: `is no JSON: ${messageOf(error)}` };
  }
}

/** Of whatever was thrown. Recursion that is too deep is told in words that mean something to the caller. */
export function messageOf(error: unknown): string {
  if (error instanceof RangeError && /call stack/.test(error.message)) return 'it is nested too deeply';
  return error instanceof Error ? error.message : String(error);
}
