/**
 * What becomes of an event, and which kept event a job takes that begins to wait: for one name and key, whose events and waits
 * come one after the other, under its lock.
 */

/** Of one namespace, name and key. */
export const MAX_KEPT_EVENTS = 1_000;
export const KEEP_DEFAULT_MS = 3_600_000;

/** What an event finds. Waits are numbered in the order in which they began. */
export interface KeyFacts {
  /** Up to this wait all are promised an event that is on its way. 0: none is. */
  readonly promisedUpTo: number;
  /** The last wait that is promised none. Undefined: none waits. */
  readonly lastWait: number | undefined;
  /** Events that are kept: none while a wait is promised nothing. */
  readonly kept: number;
}

export type EventFate =
  /** It goes to the waits behind the one and up to the other. */
  | { readonly kind: 'DELIVER'; readonly after: number; readonly upTo: number }
  | { readonly kind: 'KEEP' }
  /** Nobody waits for it, and it is not to be kept. */
  | { readonly kind: 'DROP' }
  /** Too many are kept already. */
  | { readonly kind: 'FULL' };

/** An event has come. It goes to all that wait by now, but not to those that get an earlier one. */
export function fateOf({ promisedUpTo, lastWait, kept }: KeyFacts, keepMs: number): EventFate {
  if (lastWait !== undefined) return { kind: 'DELIVER', after: promisedUpTo, upTo: lastWait };
  if (keepMs <= 0) return { kind: 'DROP' };
  return kept >= MAX_KEPT_EVENTS ? { kind: 'FULL' } : { kind: 'KEEP' };
}

/** All that it was promised to had ended by other ways: it has reached nobody. What was accepted once is not refused any more. */
export function fateOfUndelivered(facts: KeyFacts, keepMs: number): Exclude<EventFate, { readonly kind: 'FULL' }> {
  const fate = fateOf(facts, keepMs);
  return fate.kind === 'FULL' ? { kind: 'KEEP' } : fate;
}

/** Jobs that begin to wait, in their order, each with the event that it takes: the oldest of its key that is kept, once. */
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
