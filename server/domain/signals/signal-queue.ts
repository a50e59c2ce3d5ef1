/**
 * Matches signals and waits: the waits that get a new signal, and the kept signal that a new wait takes. Signals and waits
 * of one name and key are processed in sequence, under the key's lock.
 */

/** Maximum kept signals per namespace, name and key. */
export const MAX_KEPT_SIGNALS = 1_000;
export const KEEP_DEFAULT_MS = 3_600_000;

/** The state that a new signal finds. Waits are numbered in the order in which they began. */
export interface KeyFacts {
  /** All waits up to this one are promised a signal that is on its way. 0: none. */
  readonly promisedUpTo: number;
  /** The last wait that is promised no signal. Undefined: there is none. */
  readonly lastWait: number | undefined;
  /** Number of kept signals; 0 while a wait is promised nothing. */
  readonly kept: number;
}

export type SignalFate =
  /** Deliver to the waits after `after`, up to and including `upTo`. */
  | { readonly kind: 'DELIVER'; readonly after: number; readonly upTo: number }
  | { readonly kind: 'KEEP' }
  /** No wait, and the signal is not to be kept. */
  | { readonly kind: 'DROP' }
  /** The maximum of kept signals is reached. */
  | { readonly kind: 'FULL' };

/** A new signal goes to all current waits, except those that get an earlier signal. */
export function fateOf({ promisedUpTo, lastWait, kept }: KeyFacts, keepMs: number): SignalFate {
  if (lastWait !== undefined) return { kind: 'DELIVER', after: promisedUpTo, upTo: lastWait };
  if (keepMs <= 0) return { kind: 'DROP' };
  return kept >= MAX_KEPT_SIGNALS ? { kind: 'FULL' } : { kind: 'KEEP' };
}

/**
 * All waits that the signal was promised to ended in another way, so it has reached none. An accepted signal is never
 * refused later.
 */
export function fateOfUndelivered(facts: KeyFacts, keepMs: number): Exclude<SignalFate, { readonly kind: 'FULL' }> {
  const fate = fateOf(facts, keepMs);
  return fate.kind === 'FULL' ? { kind: 'KEEP' } : fate;
}

/**
 * New waits, in order, each with the signal that it takes: the oldest kept signal of its key. Each signal is taken once.
 */
export function takeKept<W extends { readonly signalKeyId: string }, E extends { readonly signalKeyId: string }>(
  waits: readonly W[],
  keptOldestFirst: readonly E[],
): { readonly taken: readonly { readonly wait: W; readonly signal: E }[]; readonly waiting: readonly W[] } {
  const left = new Map<string, E[]>();
  for (const signal of [...keptOldestFirst].reverse())
    left.set(signal.signalKeyId, [...(left.get(signal.signalKeyId) ?? []), signal]);
  const taken: { wait: W; signal: E }[] = [];
  const waiting: W[] = [];
  for (const wait of waits) {
    const signal = left.get(wait.signalKeyId)?.pop();
    if (signal) taken.push({ wait, signal });
    else waiting.push(wait);
  }
  return { taken, waiting };
}
