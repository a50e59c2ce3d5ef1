/** Steps that people skip: those asked for now, and those whose jobs have ended since. */
import { openItems } from '../../../domain/workflows/fan-out.ts';
import { roleOf, type WorkflowRun } from '../../../domain/workflows/phases.ts';
import { decideSkip, skippedManually } from '../../../domain/workflows/skip.ts';
import type { InboxRow } from '../../ports/inbox.ts';
import { endedItems, passEnded } from './ends.ts';
import type { Steps } from './steps.ts';

export interface Skips {
  /** Steps that are SKIPPED now. */
  readonly ended: readonly number[];
  /** Those of them that ran. */
  readonly ran: number;
  /** Steps of which what is open is to be cancelled. */
  readonly cancelled: readonly number[];
}

/** Steps that are to be skipped. Their rows are loaded. */
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

/** How a step ends that is being skipped, if nothing of it is open any more. A job that succeeded nevertheless has done its work. */
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
  const { state, verdict } = endedItems(fanOut, row.fanOut, inbox, true);
  steps.change(step, { fanOut: state });
  return openItems(state) > 0 ? undefined : skipped(steps, step, verdict?.state === 'SUCCEEDED');
}

function skipped(steps: Steps, step: number, hasSucceeded: boolean): 'SUCCEEDED' | 'SKIPPED' {
  if (hasSucceeded) return 'SUCCEEDED';
  steps.change(step, { reason: steps.row(step).skipReason });
  return 'SKIPPED';
}
