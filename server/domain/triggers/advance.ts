/** What new causes do to a trigger: which of them count, what is held for later, and what it starts. */
import type { CauseJudge, CauseValue } from './cause-expressions.ts';
import { type Cause, type Condition, causesOf, heldAfter, isMet } from './condition.ts';

export interface StoredCause {
  readonly rowId: number;
  /** Of its cause in the condition. */
  readonly number: number;
  readonly timeUs: number;
  /** Size of its payload. */
  readonly bytes: number;
}

export interface NewCause extends StoredCause {
  readonly value: CauseValue;
}

export interface JudgedCause extends StoredCause {
  /** Undefined: it does not count. */
  readonly key: string | undefined;
}

export interface HeldCause extends StoredCause {
  readonly key: string;
  /** Causes that it stands for. */
  readonly count: number;
}

/** A condition that is met. */
export interface Firing {
  readonly key: string;
  /** When the last cause happened. */
  readonly timeUs: number;
  /** Oldest first. */
  readonly causes: readonly HeldCause[];
}

export interface Advance {
  readonly firings: readonly Firing[];
  /** Causes to hold from now on, or with another count. */
  readonly held: readonly HeldCause[];
  /** Rows to delete, with those of the firings. */
  readonly dropped: readonly number[];
}

/** One step takes up to some 0.1 us: bounds how long a page of causes takes. */
const MAX_STEPS = 200_000;
/** Bytes of payloads that the firings of a page may have. */
const MAX_FIRED_BYTES = 8 << 20;

/** Which of the causes count, in order; the last ones are left out if they would take too long. */
export function judgeCauses(condition: Condition, judge: CauseJudge, found: readonly NewCause[]): JudgedCause[] {
  const causes = causesOf(condition);
  const judged: JudgedCause[] = [];
  let steps = 0;
  for (const { value, ...one } of found) {
    const { key, steps: own } = judge.judge(causes[one.number] as Cause, value);
    judged.push({ ...one, key });
    steps += own;
    if (steps > MAX_STEPS) break;
  }
  return judged;
}

/**
 * `heldBefore`: everything that is held for the keys of the causes. The last causes may be left for later: there are at
 * most `maxFirings`, and at least one.
 */
export function advanceTrigger(
  condition: Condition,
  judged: readonly JudgedCause[],
  heldBefore: readonly HeldCause[],
  maxFirings = Number.POSITIVE_INFINITY,
): Advance {
  const byKey = Map.groupBy(heldBefore, ({ key }) => key);
  const keys = new Map<string, Held>(
    Array.from(byKey, ([key, held]) => [key, new Map(held.map((one) => [one.number, one]))]),
  );
  const before = new Map(heldBefore.map((one) => [one.rowId, one]));
  const firings: Firing[] = [];
  const taken = new Set(before.keys());
  let bytes = 0;
  for (const { key, ...one } of judged) {
    if (bytes > MAX_FIRED_BYTES || firings.length >= maxFirings) break;
    taken.add(one.rowId);
    if (key === undefined) continue;
    const held = heldWith(condition, keys.get(key) ?? new Map(), { ...one, key, count: 1 });
    if (!isMet(condition, timesOf(held))) {
      keys.set(key, held);
      continue;
    }
    const causes = [...held.values()].sort((a, b) => a.timeUs - b.timeUs || a.number - b.number);
    firings.push({ key, timeUs: one.timeUs, causes });
    bytes += causes.reduce((sum, cause) => sum + cause.bytes, 0);
    keys.delete(key);
  }
  const held = [...keys.values()].flatMap((some) => [...some.values()]);
  const kept = new Set(held.map(({ rowId }) => rowId));
  return {
    firings,
    held: held.filter((one) => before.get(one.rowId)?.count !== one.count),
    dropped: [...taken].filter((rowId) => !kept.has(rowId)),
  };
}

type Held = ReadonlyMap<number, HeldCause>;

function timesOf(held: Held): ReadonlyMap<number, number> {
  return new Map(Array.from(held, ([number, { timeUs }]) => [number, timeUs]));
}

function heldWith(condition: Condition, held: Held, cause: HeldCause): Held {
  const older = held.get(cause.number);
  const count = (older?.count ?? 0) + 1;
  const times = heldAfter(condition, timesOf(held), cause.number, cause.timeUs);
  const after = new Map<number, HeldCause>();
  for (const number of times.keys()) {
    const before = held.get(number);
    if (number !== cause.number) after.set(number, before as HeldCause);
    else after.set(number, { ...(before && times.get(number) !== cause.timeUs ? before : cause), count });
  }
  return after;
}
