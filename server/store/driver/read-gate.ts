/**
 * Admits the reads that callers may repeat without bound: lists, explanations, logs. Few run at once and few wait, so
 * that heartbeats, reports, claims and submissions always find a connection.
 */
import { EngineError, storeFault } from '../../engine/base/errors.ts';

export interface ReadGateOptions {
  readonly maxRunning: number;
  /** Default 200. */
  readonly maxWaiting?: number;
  /** Max wait for a turn. Default 2,000 ms. */
  readonly maxWaitMs?: number;
  /** Aborts when the caller's deadline has passed or the caller has gone. Undefined: there is no caller. */
  readonly callSignal?: (() => AbortSignal | undefined) | undefined;
}

const RETRY_AFTER_MS = 500;
export const QUERY_CANCELED = '57014';

const overloaded = (message: string, cause?: unknown) =>
  new EngineError('OVERLOADED', message, { retryAfterMs: RETRY_AFTER_MS, cause });

/** A read changes nothing, so no failure of it leaves an unknown outcome. */
function failureOf(error: unknown): unknown {
  if ((error as { code?: unknown }).code === QUERY_CANCELED)
    return overloaded('the database took too long for this read: ask for less at a time, or try again', error);
  if (storeFault(error) !== 'world') return error;
  const message = 'the database did not answer; the call only reads, so try again';
  return new EngineError('STORE_UNAVAILABLE', message, { retryAfterMs: RETRY_AFTER_MS, cause: error });
}

export class ReadGate {
  readonly #options: ReadGateOptions;
  readonly #waiting = new Set<() => void>();
  /** Reads of calls that have had a turn: these go first, or the work done for them would be lost. */
  readonly #continuing = new Set<() => void>();
  readonly #begun = new WeakSet<AbortSignal>();
  #running = 0;

  constructor(options: ReadGateOptions) {
    this.#options = options;
  }

  /** Rejects with OVERLOADED if too many reads wait already, or if this one has waited for too long. */
  async run<T>(work: (gone: AbortSignal | undefined) => Promise<T>): Promise<T> {
    const gone = this.#options.callSignal?.();
    gone?.throwIfAborted();
    if (this.#running >= this.#options.maxRunning) await this.#turn(gone);
    else this.#running++;
    if (gone) this.#begun.add(gone);
    try {
      return await work(gone);
    } catch (error) {
      throw failureOf(error);
    } finally {
      this.#leave();
    }
  }

  /** Resolves when a read that ends has left its turn to this one. */
  #turn(gone: AbortSignal | undefined): Promise<void> {
    const { maxWaiting = 200, maxWaitMs = 2_000 } = this.#options;
    const line = gone && this.#begun.has(gone) ? this.#continuing : this.#waiting;
    if (line === this.#waiting && line.size >= maxWaiting)
      return Promise.reject(overloaded(`more than ${maxWaiting} reads wait for the database already; try again`));
    return new Promise((resolve, reject) => {
      const leave = () => {
        line.delete(enter);
        clearTimeout(timer);
        gone?.removeEventListener('abort', left);
      };
      const enter = () => {
        leave();
        resolve();
      };
      const left = () => {
        leave();
        reject(gone?.reason);
      };
      const timer = setTimeout(() => {
        leave();
        reject(overloaded(`this read has waited ${maxWaitMs} ms for its turn at the database; try again`));
      }, maxWaitMs);
      gone?.addEventListener('abort', left);
      line.add(enter);
    });
  }

  #leave(): void {
    const [next] = this.#continuing.size > 0 ? this.#continuing : this.#waiting;
    if (next) next();
    else this.#running--;
  }
}
