/** One call with its checks: results, remaining checks, and the check suspected of ending the thread. */

import type { Payload } from '../domain/base/payload.ts';
import type { PayloadSchema } from '../domain/definitions/definition.ts';
import { EngineError } from '../engine/base/errors.ts';
import type { SchemaProblem } from '../engine/ports/ports.ts';

const SLICE = 64;
const SLICE_BYTES = 1 << 20;
/** Maximum thread time of all checks of a call, in ms. */
const MAX_MS = 5_000;

interface Check {
  readonly schema: PayloadSchema;
  readonly payload: Payload | undefined;
}

export class SchemaCall {
  readonly checks: readonly Check[];
  readonly bytes: number;
  readonly promise: Promise<readonly (SchemaProblem | undefined)[]>;
  readonly reject: (error: Error) => void;
  readonly #resolve: (results: readonly (SchemaProblem | undefined)[]) => void;
  #results: (SchemaProblem | undefined)[] = [];
  /** Index of a check during which the thread ended. */
  #suspect: number | undefined;
  #spentMs = 0;
  #done = false;

  constructor(checks: readonly Check[]) {
    this.checks = checks;
    this.bytes = checks.reduce((sum, { payload }) => sum + (payload?.data.length ?? 0), 0);
    const { promise, resolve, reject } = Promise.withResolvers<readonly (SchemaProblem | undefined)[]>();
    this.promise = promise;
    this.#resolve = resolve;
    this.reject = (error) => {
      this.#done = true;
      reject(error);
    };
    this.#finish();
  }

  get isDone(): boolean {
    return this.#done;
  }

  /** The next checks; a suspect, and each check before it, is sent alone. */
  slice(): readonly Check[] {
    const from = this.#results.length;
    const most = this.#suspect === undefined || this.#suspect < from ? SLICE : 1;
    let to = from;
    for (let bytes = 0; to < this.checks.length && to - from < most; to++) {
      bytes += this.checks[to]?.payload?.data.length ?? 0;
      if (to > from && bytes > SLICE_BYTES) break;
    }
    return this.checks.slice(from, to);
  }

  take(results: readonly (SchemaProblem | undefined)[], tookMs: number): void {
    this.#results.push(...results);
    this.#spend(tookMs);
  }

  /**
   * The thread ended at the check with this index in the slice. A check is only guilty if it ran alone: the machine may
   * have been busy.
   */
  blame(index: number, verdict: SchemaProblem, tookMs: number): void {
    const place = this.#results.length + index;
    if (this.#suspect === place && index === 0) this.#results.push(verdict);
    else this.#suspect = place;
    this.#spend(tookMs);
  }

  #spend(tookMs: number): void {
    this.#spentMs += tookMs;
    this.#finish();
    if (this.#done || this.#spentMs <= MAX_MS) return;
    const message = `checking the payloads of one call took longer than ${MAX_MS} ms; send fewer of them together`;
    this.reject(new EngineError('OVERLOADED', message));
  }

  #finish(): void {
    if (this.#done || this.#results.length < this.checks.length) return;
    this.#done = true;
    this.#resolve(this.#results);
  }
}
