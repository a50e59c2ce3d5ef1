/** A job that waits for a signal or an approval: how it begins, and how it ends. */

import { type Payload, systemFailure } from '../base/payload.ts';
import { lastStageOf } from '../jobs/cancel-stage.ts';
import { continueAs, end } from '../jobs/decide.ts';
import type { Continue, End, OpenRun } from '../jobs/run.ts';
import { earliest } from '../jobs/time-limits.ts';
import type { WorkflowOutcome } from '../workflows/life.ts';

export interface SignalWait {
  readonly kind: 'SIGNAL';
  readonly name: string;
  /** Expression over input and labels. Left out: the empty key. */
  readonly key?: string;
}

/** What a wait's job waits for. */
export type WaitBody = SignalWait | { readonly kind: 'APPROVAL' };

/** The default is the maximum of a run timeout: approvals take their time. */
export const WAIT_TIMEOUT_MS = 30 * 86_400_000;

/** The control plane starts the wait; its run timeout counts from now. */
export function decideBeginWait(run: OpenRun, nowUs: number): Continue | undefined {
  if (run.state !== 'READY') return undefined;
  const dueTimeUs = earliest(nowUs + run.runTimeoutMs * 1000, run.limits.deadlineUs);
  return continueAs('await', run, { state: 'WAITING', dueTimeUs, reason: null });
}

/** The awaited signal has come, or can't come. Undefined: the job does not wait any more. */
export function decideEndWait(run: OpenRun, outcome: WorkflowOutcome, reason: string | null = null): End | undefined {
  if (run.state !== 'WAITING') return undefined;
  if (outcome.state === 'SUCCEEDED') return left(end('finish', run, 'SUCCEEDED', { result: outcome.result, reason }));
  return left(end('finish', run, 'FAILED', { failure: outcome.failure, reason: reason ?? outcome.failure.message }));
}

/** The wait timed out. Undefined: not yet, or the job does not wait. */
export function decideWaitDue(run: OpenRun, nowUs: number): End | undefined {
  if (run.state !== 'WAITING' || run.dueTimeUs === null || run.dueTimeUs > nowUs) return undefined;
  const { deadlineUs } = run.limits;
  const isTotal = deadlineUs !== null && deadlineUs <= nowUs;
  const message = isTotal
    ? 'it did not end within its total timeout'
    : `what it waited for did not come within its run timeout of ${run.runTimeoutMs} ms`;
  const failure = systemFailure('TIMEOUT', isTotal ? 'TotalTimeout' : 'RunTimeout', message);
  return left(end('timeOut', run, 'FAILED', { failure, reason: message }));
}

/** Ends at once, since nothing runs that would have to stop first. Undefined: the job does not wait. */
export function decideCancelWait(run: OpenRun, why: string): End | undefined {
  if (run.state !== 'WAITING') return undefined;
  const reason = why || 'cancelled on request';
  const failure = systemFailure('CANCELLED', 'Cancelled', reason);
  return left(end('requestCancel', run, 'CANCELLED', { failure, reason, cancelStage: lastStageOf('requestCancel') }));
}

function left(ended: End): End {
  return { ...ended, leavesWait: true };
}

export interface Approval {
  /** Empty: none. */
  readonly comment: string;
  /** JSON text. Undefined: none. */
  readonly payload: string | undefined;
}

/**
 * The result of an approved job. The payload's text is copied as it is, so that its numbers keep their exact values.
 */
export function approvalResult({ comment, payload }: Approval): Payload {
  const fields = [
    '"approved":true',
    ...(comment ? [`"comment":${JSON.stringify(comment)}`] : []),
    ...(payload === undefined ? [] : [`"payload":${payload}`]),
  ];
  return { data: new TextEncoder().encode(`{${fields.join(',')}}`), contentType: 'application/json' };
}

export function approvedReason({ comment }: Approval): string {
  return comment ? `approved: ${comment}` : 'approved';
}

/** Non-retryable: a person has decided. */
export function rejected(reason: string): Extract<WorkflowOutcome, { readonly state: 'FAILED' | 'CANCELLED' }> {
  const failure = { ...systemFailure('APPLICATION', 'Rejected', reason || 'rejected'), nonRetryable: true };
  return { state: 'FAILED', failure };
}

/** What the job waits for, as the end of a sentence about it. */
export function awaitedText(body: WaitBody, key: string | undefined): string {
  if (body.kind === 'APPROVAL') return 'waits for approval';
  return key ? `waits for signal ${body.name} with key ${key}` : `waits for signal ${body.name}`;
}
