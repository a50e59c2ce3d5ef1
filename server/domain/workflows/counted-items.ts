/**
 * Items of fan-outs as the steps see them that count each item for itself. For those a fan-out is one open step until it
 * knows its items; then it is as many steps as it has items. One that never has items counts as one step of its end.
 */
import type { FanOutState } from './fan-out.ts';
import type { StepState } from './step-state.ts';
import { noneEnded, type StepCounts, withEnd } from './trigger-rules.ts';

/** Of the fan-outs that a step needs and counts by items. */
export interface NeededItems extends StepCounts {
  /** How many more needed steps there are because fan-outs have several items. */
  readonly added: number;
}

/** A change of a fan-out, for the steps that count its items. */
export interface ItemChange {
  readonly step: number;
  readonly change: NeededItems;
}

interface FanOutRow {
  readonly state: StepState;
  readonly fanOut?: FanOutState | undefined;
}

const noItems: NeededItems = { ...noneEnded, added: 0 };

/** The change between two rows of a fan-out; undefined: none. */
export function itemChange(before: FanOutRow, after: FanOutRow): NeededItems | undefined {
  const [from, to] = [itemsOf(before), itemsOf(after)];
  const change = combined(to, from, -1);
  return Object.values(change).some((count) => count !== 0) ? change : undefined;
}

export function withItems(known: NeededItems | undefined, change: NeededItems): NeededItems {
  return combined(known ?? noItems, change, 1);
}

/** Ends in all, and the number of needed steps, with items. `needed` counts each fan-out as one. */
export function withNeededItems(
  counts: StepCounts,
  needed: number,
  items: NeededItems | undefined,
): { readonly counts: StepCounts; readonly total: number } {
  if (!items) return { counts, total: needed };
  const { added, ...all } = combined({ ...counts, added: needed }, items, 1);
  return { counts: all, total: added };
}

/** Items that a fan-out has left behind when it ended count too: those that never began were skipped. */
function itemsOf({ state, fanOut }: FanOutRow): NeededItems {
  const isOpen = state === 'WAITING' || state === 'RUNNING';
  if (!fanOut || fanOut.size === 0) return isOpen ? noItems : { ...withEnd(noneEnded, state), added: 0 };
  const { size, started, counted = { succeeded: 0, failed: 0, skipped: 0 } } = fanOut;
  const ended = { ...noItems, ...counted, added: size - 1 };
  if (isOpen) return ended;
  const open = started - counted.succeeded - counted.failed - counted.skipped;
  return { ...ended, failed: ended.failed + open, skipped: ended.skipped + size - started };
}

function combined(one: NeededItems, other: NeededItems, sign: 1 | -1): NeededItems {
  return {
    added: one.added + sign * other.added,
    succeeded: one.succeeded + sign * other.succeeded,
    failed: one.failed + sign * other.failed,
    upstreamFailed: one.upstreamFailed + sign * other.upstreamFailed,
    skipped: one.skipped + sign * other.skipped,
  };
}
