/** The first contact with PostgreSQL: waits for a server that is starting, and reports any other problem at once. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from './database.ts';

export interface FirstContactOptions {
  /** Max wait for a server that does not take connections yet. Default 10,000 ms. */
  readonly waitMs?: number;
  /** Called once, when the wait begins. */
  readonly onWait?: (problem: string) => void;
}

const RETRY_MS = 250;

/** No server listens yet, or PostgreSQL is starting, recovering or stopping. */
const notYet = new Set(['ECONNREFUSED', 'ENOENT', '57P01', '57P02', '57P03']);

/** The codes of an error: its own, or those of an aggregate error with one error per address of a name. */
function codesOf(error: unknown): unknown[] {
  if (error instanceof AggregateError) return error.errors.map((inner) => inner.code);
  return [(error as { code?: unknown }).code];
}

function textOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map((inner) => inner.message).join(', ');
  return (error as Error).message;
}

/** @throws Error that says why PostgreSQL can't be used; never with a password. */
export async function firstContact(database: Database, options: FirstContactOptions = {}): Promise<void> {
  const { waitMs = 10_000, onWait } = options;
  const deadline = performance.now() + waitMs;
  for (let first = true; ; first = false) {
    try {
      return await database.script('SELECT 1');
    } catch (error) {
      const wait = codesOf(error).every((code) => notYet.has(String(code)));
      if (!wait || performance.now() > deadline) {
        throw new Error(`PostgreSQL can't be used: ${textOf(error)}`, { cause: error });
      }
      if (first) onWait?.(textOf(error));
      await delay(RETRY_MS);
    }
  }
}
