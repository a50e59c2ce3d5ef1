/** Applies skips of steps that somebody requested: now, or earlier with jobs that have ended since. */
import { openItems } from '../../../domain/workflows/fan-out.ts';
import { roleOf, type WorkflowRun } from '../../../domain/workflows/phases.ts';
import { decideSkip, skippedManually } from '../../../domain/workflows/skip.ts';
import type { InboxRow } from '../../ports/inbox.ts';
import { endedItems, passEnded } from './ends.ts';
import type { Steps } from './steps.ts';

export interface Skips {
  /** Steps that became SKIPPED. */
  readonly ended: readonly number[];
  /** How many of them were running. */
  readonly ran: number;
  /** Steps whose open jobs must be cancelled. */
  readonly cancelled: readonly number[];
}

/** Applies requested skips. The steps' rows must be loaded. */
export function askedSkips(steps: Steps, run: WorkflowRun, inbox: readonly InboxRow[]): Skips {
  const ended = new Set<number>();
  const cancelled: number[] = [];
  let ran = 0;
  for (const { kind, step, reason } of inbox) {
    if (kind !== 'SKIP_STEP' || step === undefined || ended.has(step)) continue;
    if (steps.graph.step(step).role !== roleOf(run.phase)) continue;
    const decision = decideSkip(steps.row(step));
    if (decision === 'NEVER') continue;
    const text = skippedManually(reason);
    if (decision === 'NOW') {
      if (steps.row(step).state === 'RUNNING') ran++;
      ended.add(step);
      steps.change(step, { reason: text, skipReason: text });
    } else {
      cancelled.push(step);
      steps.change(step, { skipReason: text });
    }
  }
  return { ended: [...ended], ran, cancelled };
}

/** How a skipped running step ends, once none of its jobs is open. If its work succeeded anyway, so did the step. */
export function skippedEnded(
  steps: Steps,
  step: number,
  inbox: readonly InboxRow[],
): 'SUCCEEDED' | 'SKIPPED' | undefined {
  const { fanOut, loop } = steps.graph.step(step);
  const row = steps.row(step);
  if (!fanOut || !row.fanOut) {
    const state = passEnded(row, inbox);
    return state && skipped(steps, step, state === 'SUCCEEDED' && !loop);
  }
  const { state, verdict } = endedItems(fanOut, row.fanOut, inbox, { stopping: true, isSkipped: true });
  steps.change(step, { fanOut: state });
  return openItems(state) > 0 ? undefined : skipped(steps, step, verdict?.state === 'SUCCEEDED');
}

function skipped(steps: Steps, step: number, hasSucceeded: boolean): 'SUCCEEDED' | 'SKIPPED' {
  if (hasSucceeded) return 'SUCCEEDED';
  steps.change(step, { reason: steps.row(step).skipReason });
  return 'SKIPPED';
}
