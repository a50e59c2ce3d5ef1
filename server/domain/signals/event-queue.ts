/**
 * Matches events and waits: the waits that get a new event, and the kept event that a new wait takes. Events and waits
 * of one name and key are processed in sequence, under the key's lock.
 */

/** Maximum kept events per namespace, name and key. */
export const MAX_KEPT_EVENTS = 1_000;
export const KEEP_DEFAULT_MS = 3_600_000;

/** The state that a new event finds. Waits are numbered in the order in which they began. */
export interface KeyFacts {
  /** All waits up to this one are promised an event that is on its way. 0: none. */
  readonly promisedUpTo: number;
  /** The last wait that is promised no event. Undefined: there is none. */
  readonly lastWait: number | undefined;
  /** Number of kept events; 0 while a wait is promised nothing. */
  readonly kept: number;
}

export type EventFate =
  /** Deliver to the waits after `after`, up to and including `upTo`. */
  | { readonly kind: 'DELIVER'; readonly after: number; readonly upTo: number }
  | { readonly kind: 'KEEP' }
  /** No wait, and the event is not to be kept. */
  | { readonly kind: 'DROP' }
  /** The maximum of kept events is reached. */
  | { readonly kind: 'FULL' };

/** A new event goes to all current waits, except those that get an earlier event. */
export function fateOf({ promisedUpTo, lastWait, kept }: KeyFacts, keepMs: number): EventFate {
  if (lastWait !== undefined) return { kind: 'DELIVER', after: promisedUpTo, upTo: lastWait };
  if (keepMs <= 0) return { kind: 'DROP' };
  return kept >= MAX_KEPT_EVENTS ? { kind: 'FULL' } : { kind: 'KEEP' };
}

/**
 * All waits that the event was promised to ended in another way, so it has reached none. An accepted event is never
 * refused later.
 */
export function fateOfUndelivered(facts: KeyFacts, keepMs: number): Exclude<EventFate, { readonly kind: 'FULL' }> {
  const fate = fateOf(facts, keepMs);
  return fate.kind === 'FULL' ? { kind: 'KEEP' } : fate;
}

/**
 * New waits, in order, each with the event that it takes: the oldest kept event of its key. Each event is taken once.
 */
export function takeKept<W extends { readonly waitId: string }, E extends { readonly waitId: string }>(
  waits: readonly W[],
  keptOldestFirst: readonly E[],
): { readonly taken: readonly { readonly wait: W; readonly event: E }[]; readonly waiting: readonly W[] } {
  const left = new Map<string, E[]>();
  for (const event of [...keptOldestFirst].reverse())
    left.set(event.waitId, [...(left.get(event.waitId) ?? []), event]);
  const taken: { wait: W; event: E }[] = [];
  const waiting: W[] = [];
  for (const wait of waits) {
    const event = left.get(wait.waitId)?.pop();
    if (event) taken.push({ wait, event });
    else waiting.push(wait);
  }
  return { taken, waiting };
}
