/** A running fan-out: which items start, and when it is over. The rules are those of an Indexed Job of Kubernetes. */
import { countOf, includes } from './indexes.ts';
import type { FanOut, SuccessRule } from './workflow.ts';

export interface FanOutState {
  readonly size: number;
  /** Items start in order, so this is also the index of the next one. */
  readonly started: number;
  readonly succeeded: number;
  readonly failed: number;
  /**
   * Items that ended, in any way, after the decision. They do not count: most were cancelled because of the decision.
   */
  readonly late: number;
  /** For each success rule: number of its items that have succeeded. */
  readonly ruleCounts: readonly number[];
  /** Ends of items, late ones included. Only for steps that count items: undefined if no such step needs it. */
  readonly counted?: ItemCounts;
}

export interface ItemCounts {
  readonly succeeded: number;
  readonly failed: number;
  readonly skipped: number;
}

export interface EndedItem {
  readonly item: number;
  readonly succeeded: boolean;
  /** It has not succeeded, and counts as skipped for steps that count items. */
  readonly skipped?: boolean;
}

export type FanOutDecision =
  /** `start`: number of items to start now. */
  | { readonly kind: 'CONTINUE'; readonly start: number }
  /** `cancelOpen`: there are open items, which must be cancelled. */
  | { readonly kind: 'SUCCEED'; readonly cancelOpen: boolean }
  | { readonly kind: 'FAIL'; readonly cancelOpen: boolean; readonly reason: string };

/** `isCounted`: a step counts its items. */
export function beginFanOut({ successPolicy = [] }: FanOut, size: number, isCounted = false): FanOutState {
  const counted = isCounted ? { counted: { succeeded: 0, failed: 0, skipped: 0 } } : {};
  return { size, started: 0, succeeded: 0, failed: 0, late: 0, ruleCounts: successPolicy.map(() => 0), ...counted };
}

export function startItems(state: FanOutState, items: number): FanOutState {
  return { ...state, started: state.started + items };
}

export function openItems({ started, succeeded, failed, late }: FanOutState): number {
  return started - succeeded - failed - late;
}

/** All ended items of one call are counted before the next decision. Each item may end once. */
export function endItems(fanOut: FanOut, before: FanOutState, ended: readonly EndedItem[]): FanOutState {
  const state = before.counted ? { ...before, counted: withEnded(before.counted, ended) } : before;
  if (decideFanOut(fanOut, state).kind !== 'CONTINUE') return { ...state, late: state.late + ended.length };
  const good = ended.filter(({ succeeded }) => succeeded);
  const within = ({ indexes }: SuccessRule) =>
    indexes ? good.filter(({ item }) => includes(indexes, item)).length : good.length;
  return {
    ...state,
    succeeded: state.succeeded + good.length,
    failed: state.failed + ended.length - good.length,
    ruleCounts: (fanOut.successPolicy ?? []).map((rule, i) => (state.ruleCounts[i] ?? 0) + within(rule)),
  };
}

function withEnded({ succeeded, failed, skipped }: ItemCounts, ended: readonly EndedItem[]): ItemCounts {
  const good = ended.filter((item) => item.succeeded).length;
  const passed = ended.filter((item) => !item.succeeded && item.skipped).length;
  return { succeeded: succeeded + good, failed: failed + ended.length - good - passed, skipped: skipped + passed };
}

/**
 * A decision of SUCCEED or FAIL is final and keeps its reason while open items end; the step may end at once, or when
 * nothing is open any more.
 */
export function decideFanOut(fanOut: FanOut, state: FanOutState): FanOutDecision {
  const { size, started, succeeded, failed } = state;
  const { maxFailed, maxParallel = size, successPolicy = [] } = fanOut;
  const open = openItems(state);
  const cancelOpen = open > 0;
  if (maxFailed !== undefined && failed > maxFailed)
    return { kind: 'FAIL', cancelOpen, reason: `${failed} of ${size} items failed, and max_failed is ${maxFailed}` };
  if (successPolicy.some((rule, i) => holds(rule, state.ruleCounts[i] ?? 0, size)))
    return { kind: 'SUCCEED', cancelOpen };
  if (succeeded === size) return { kind: 'SUCCEED', cancelOpen };
  // `max_failed` only delays this. In Kubernetes, too, a failed index that no success rule makes up for fails the job.
  if (succeeded + failed === size) return { kind: 'FAIL', cancelOpen, reason: `${failed} of ${size} items failed` };
  return { kind: 'CONTINUE', start: Math.min(size - started, maxParallel - open) };
}

/** A rule's indexes beyond the end of the list are ignored; a rule with only such indexes never holds. */
function holds({ indexes, count }: SuccessRule, succeeded: number, size: number): boolean {
  if (succeeded === 0) return false;
  const places = indexes ? countOf(indexes, size) : size;
  return succeeded >= Math.min(count ?? places, places);
}
