/** Faults of calls: each method has a queue of faults, and each fault affects the number of calls that it says. */
import type { Message } from '@bufbuild/protobuf';
import type { Refusal } from './refusal.ts';

export interface Fault {
  /** Whether the call has its effect before it fails. Default: false. */
  readonly takesEffect?: boolean;
  /**
   * What the worker sees: an error, nothing until its deadline, a broken connection, or a late answer. The late answer
   * may be an error; then it determines whether the call has its effect.
   */
  readonly seen: Refusal | 'nothing' | 'cut' | { readonly delayMs: number; readonly refusal?: Refusal };
  /** Number of affected calls. Default: 1. */
  readonly times?: number;
  /** Affects only calls for which this is true. Default: any. */
  readonly when?: (request: Message) => boolean;
}

export class Faults {
  readonly #lines = new Map<string, { readonly fault: Fault; left: number }[]>();

  add(method: string, fault: Fault): void {
    const line = this.#lines.get(method) ?? [];
    line.push({ fault, left: fault.times ?? 1 });
    this.#lines.set(method, line);
  }

  clear(method: string): void {
    this.#lines.delete(method);
  }

  /** The fault that affects this call. */
  next(method: string, request: Message): Fault | undefined {
    const line = this.#lines.get(method);
    const first = line?.[0];
    if (!line || !first || first.fault.when?.(request) === false) return undefined;
    first.left--;
    if (first.left === 0) line.shift();
    return first.fault;
  }
}
