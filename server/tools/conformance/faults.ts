/** What goes wrong with calls: faults wait in line for each method, and each spoils as many calls as it says. */
import type { Message } from '@bufbuild/protobuf';
import type { Refusal } from './refusal.ts';

export interface Fault {
  /** Whether the call has its effect before it fails. Default: it has none. */
  readonly takesEffect?: boolean;
  /**
   * What the worker sees: an error, nothing until its deadline, a connection that breaks, or the answer, but late. The late one may
   * be an error, too: then it says whether the call has its effect.
   */
  readonly seen: Refusal | 'nothing' | 'cut' | { readonly delayMs: number; readonly refusal?: Refusal };
  /** How many calls it spoils. Default: 1. */
  readonly times?: number;
  /** Only calls of which this is so. Default: any. */
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

  /** The one that spoils this call. */
  next(method: string, request: Message): Fault | undefined {
    const line = this.#lines.get(method);
    const first = line?.[0];
    if (!line || !first || first.fault.when?.(request) === false) return undefined;
    first.left--;
    if (first.left === 0) line.shift();
    return first.fault;
  }
}
