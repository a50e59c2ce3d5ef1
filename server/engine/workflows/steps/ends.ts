/** Interprets the ends of a step's jobs. */

import { type Failure, systemFailure } from '../../../domain/base/payload.ts';
import { isTerminal, type JobState } from '../../../domain/jobs/job-state.ts';
import { decideFanOut, endItems, type FanOutState, openItems } from '../../../domain/workflows/fan-out.ts';
import type { FanOut } from '../../../domain/workflows/workflow.ts';
import type { InboxRow } from '../../ports/inbox.ts';
import type { StoredStep } from '../../ports/workflows.ts';

/** How the step's job, or the job of its last pass, ended; undefined: the inbox entry is for another job. */
export function passEnded({ childId }: StoredStep, inbox: readonly InboxRow[]): JobState | undefined {
  const found = inbox.find(({ childIds }) => childId !== undefined && childIds.includes(childId));
  return found?.state && isTerminal(found.state) ? found.state : undefined;
}

export interface EndedItems {
  readonly state: FanOutState;
  /** Undefined: the step continues. */
  readonly verdict: { readonly state: 'SUCCEEDED' | 'FAILED'; readonly isNew: boolean } | undefined;
  readonly isOpen: boolean;
  readonly reason: string | undefined;
}

/** `isSkipped`: somebody skips the step, so items that do not succeed were skipped. */
export function endedItems(
  fanOut: FanOut,
  before: FanOutState,
  inbox: readonly InboxRow[],
  { stopping, isSkipped = false }: { readonly stopping: boolean; readonly isSkipped?: boolean },
): EndedItems {
  const ended = inbox.flatMap(({ items, state }) => {
    const skipped = isSkipped || state === 'SKIPPED';
    return items.map((item) => ({ item, succeeded: state === 'SUCCEEDED', skipped }));
  });
  const state = endItems(fanOut, before, ended);
  const isOpen = openItems(state) > 0;
  const decision = decideFanOut(fanOut, state);
  const isNew = decideFanOut(fanOut, before).kind === 'CONTINUE';
  if (decision.kind === 'SUCCEED') return { state, verdict: { state: 'SUCCEEDED', isNew }, isOpen, reason: undefined };
  if (decision.kind === 'FAIL') return { state, verdict: { state: 'FAILED', isNew }, isOpen, reason: decision.reason };
  if (!stopping || isOpen) return { state, verdict: undefined, isOpen, reason: undefined };
  const reason = `stopped after ${state.started} of ${state.size} items were started`;
  return { state, verdict: { state: 'FAILED', isNew }, isOpen, reason };
}

/** Why a fan-out failed, with the reason of an item that could not get a job. */
export function whyFailed(reason: string, ofItem: string | undefined): string {
  return ofItem ? `${reason}; ${ofItem}` : reason;
}

/** The failure of a workflow by a step, with the cause from the step's job. */
export function childFailure(name: string, state: JobState, cause: Failure | undefined): Failure {
  const why = cause?.message ?? `its job is ${state}`;
  const failure = systemFailure(cause?.failureCause ?? 'APPLICATION', 'StepFailed', `step "${name}": ${why}`);
  return cause ? { ...failure, cause } : failure;
}
