/** The condition of a trigger: a tree over things that happen, and whether what has happened meets it. */
import type { JobState } from '../jobs/job-state.ts';

/** Codes as stored in SQL. */
export const causeSources = { SIGNAL: 1, ASSET: 2, JOB: 3, SCHEDULE: 4 } as const;
export type CauseSource = keyof typeof causeSources;

/** Something that must happen. */
export interface Cause {
  readonly source: CauseSource;
  /** Of the signal, the asset, the job's definition, or the schedule. */
  readonly name: string;
  /** Of a job: the end states that count. */
  readonly states?: readonly JobState[];
  /** CEL over `cause`; empty: each counts. */
  readonly filter: string;
  /** CEL over `cause`; empty: the empty key. */
  readonly key: string;
}

export type Condition =
  | { readonly kind: 'ALL_OF'; readonly conditions: readonly Condition[]; readonly withinMs?: number | undefined }
  | { readonly kind: 'ANY_OF'; readonly conditions: readonly Condition[] }
  | { readonly kind: 'CAUSE'; readonly cause: Cause };

/** The times of what has happened last, in µs, by the number of its cause in the condition. */
export type HeldTimes = ReadonlyMap<number, number>;

/** Times of the oldest and the newest cause that meet a condition. */
interface Span {
  readonly sinceUs: number;
  readonly untilUs: number;
}

/** The causes of a condition, depth first: the place of each is its number. */
export function causesOf(condition: Condition): Cause[] {
  return condition.kind === 'CAUSE' ? [condition.cause] : condition.conditions.flatMap(causesOf);
}

export function nodesOf(condition: Condition): number {
  return condition.kind === 'CAUSE' ? 1 : 1 + condition.conditions.reduce((sum, one) => sum + nodesOf(one), 0);
}

export function depthOf(condition: Condition): number {
  return condition.kind === 'CAUSE' ? 1 : 1 + Math.max(0, ...condition.conditions.map(depthOf));
}

export function isMet(condition: Condition, held: HeldTimes): boolean {
  return spanOf(condition, held, 0) !== undefined;
}

/** Each part of a condition with the number of its first cause. */
function numbered(conditions: readonly Condition[], first: number): (readonly [Condition, number])[] {
  let number = first;
  return conditions.map((condition) => {
    const own = number;
    number += causesOf(condition).length;
    return [condition, own] as const;
  });
}

/** Undefined: it is not met. */
function spanOf(condition: Condition, held: HeldTimes, first: number): Span | undefined {
  if (condition.kind === 'CAUSE') {
    const timeUs = held.get(first);
    return timeUs === undefined ? undefined : { sinceUs: timeUs, untilUs: timeUs };
  }
  const spans = numbered(condition.conditions, first).map(([one, number]) => spanOf(one, held, number));
  if (condition.kind === 'ANY_OF')
    return spans.reduce((best, one) => (one && (!best || one.sinceUs > best.sinceUs) ? one : best), undefined);
  return spanOfAll(spans, condition.withinMs);
}

function spanOfAll(spans: readonly (Span | undefined)[], withinMs: number | undefined): Span | undefined {
  const met = spans.filter((span) => span !== undefined);
  if (met.length < spans.length) return undefined;
  const sinceUs = Math.min(...met.map((span) => span.sinceUs));
  const untilUs = Math.max(...met.map((span) => span.untilUs));
  return withinMs !== undefined && untilUs - sinceUs > withinMs * 1_000 ? undefined : { sinceUs, untilUs };
}

/** A part of a condition whose causes must come close to each other. */
interface Window {
  readonly part: Extract<Condition, { readonly kind: 'ALL_OF' }>;
  readonly first: number;
  readonly withinMs: number;
}

function windowsOf(condition: Condition, first = 0): Window[] {
  if (condition.kind === 'CAUSE') return [];
  const inner = numbered(condition.conditions, first).flatMap(([one, number]) => windowsOf(one, number));
  if (condition.kind === 'ANY_OF' || condition.withinMs === undefined) return inner;
  return [{ part: condition, first, withinMs: condition.withinMs }, ...inner];
}

const isMetIn = ({ part, first }: Window, held: HeldTimes) => spanOf(part, held, first) !== undefined;

/** What still counts at a time: without causes that are too old to be close to any later one. */
export function heldAt(condition: Condition, held: HeldTimes, nowUs: number): HeldTimes {
  const after = new Map(held);
  for (const window of windowsOf(condition)) {
    if (isMetIn(window, after)) continue;
    for (let i = window.first; i < window.first + causesOf(window.part).length; i++)
      if ((after.get(i) ?? nowUs) < nowUs - window.withinMs * 1_000) after.delete(i);
  }
  return after;
}

/**
 * What is held after a cause has happened. A newer cause replaces the older one, unless causes that are close enough to
 * each other would no longer be.
 */
export function heldAfter(condition: Condition, held: HeldTimes, number: number, timeUs: number): HeldTimes {
  const before = heldAt(condition, held, timeUs);
  const newer = new Map(before).set(number, timeUs);
  const breaks = windowsOf(condition).some((window) => isMetIn(window, before) && !isMetIn(window, newer));
  return breaks ? before : heldAt(condition, newer, timeUs);
}

const sourceWords: Readonly<Record<CauseSource, string>> = {
  SIGNAL: 'signal',
  ASSET: 'asset',
  JOB: 'job',
  SCHEDULE: 'schedule',
};

/** Such as "signal paid" or "job import (FAILED or EXPIRED)". */
export function causeText({ source, name, states }: Cause): string {
  return `${sourceWords[source]} ${name}${states ? ` (${states.join(' or ')})` : ''}`;
}

/** What is missing, as phrases; the alternatives of an any-of are one phrase. Empty: the condition is met. */
export function missingOf(condition: Condition, held: HeldTimes, first = 0): string[] {
  if (spanOf(condition, held, first)) return [];
  if (condition.kind === 'CAUSE') return [causeText(condition.cause)];
  const parts = numbered(condition.conditions, first).map(([one, number]) => missingOf(one, held, number));
  if (condition.kind === 'ALL_OF') return parts.flat();
  return [parts.map((phrases) => phrases.join(' and ')).join(', or ')];
}
