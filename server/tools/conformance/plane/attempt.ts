/** One attempt that the kit assigns to the worker, and the worker's messages about it. */

import type { LogRecord } from '@muster-jobs/sdk/gen/muster/v1/log_record_pb';
import type { Assignment } from '@muster-jobs/sdk/gen/muster/worker/v1/assignment_pb';
import {
  type AttemptReport,
  ReleaseReason,
  type ReportResult,
} from '@muster-jobs/sdk/gen/muster/worker/v1/attempt_report_pb';
import type { ProgressUpdate } from '@muster-jobs/sdk/gen/muster/worker/v1/session_pb';
import { enumName } from '../enum-name.ts';

export interface ReportSeen {
  readonly report: AttemptReport;
  readonly at: number;
  /** Index of its ReportAttempts call within the session. */
  readonly call: number;
  /** The actual or intended answer. */
  readonly result: ReportResult;
}

export class Attempt {
  /** Its name in the case. */
  readonly name: string;
  readonly assignment: Assignment;
  /** When it was last sent. */
  sentAt = 0;
  /** Arrival of the first heartbeat that listed it, and of the first that listed it as started. */
  heldAt: number | undefined;
  startedAt: number | undefined;
  isCancelled = false;
  isSuspended = false;
  readonly updates: ProgressUpdate[] = [];
  readonly logs: LogRecord[] = [];
  readonly reports: ReportSeen[] = [];
  /** Assigns its work again in another attempt with the same name, if the case lets the kit choose the credit. */
  reassign: (() => Promise<void>) | undefined;
  /** When the answer left after which the worker no longer holds it. */
  answeredAt: number | undefined;

  constructor(name: string, assignment: Assignment) {
    this.name = name;
    this.assignment = assignment;
  }

  get key(): string {
    return keyOf(this.assignment);
  }

  /**
   * Its credit was voided while it was in transit: as for the server, the work is assigned again with another credit.
   */
  get isPassedOver(): boolean {
    const outcome = this.reports[0]?.report.outcome;
    const isDead = outcome?.case === 'released' && outcome.value.reason === ReleaseReason.DEAD_CREDIT;
    return isDead && this.reassign !== undefined;
  }

  get isOpen(): boolean {
    return this.answeredAt === undefined;
  }
}

export function keyOf({ jobId, attempt }: { readonly jobId: Uint8Array; readonly attempt: number }): string {
  return `${Buffer.from(jobId).toString('hex')}/${attempt}`;
}

/** Description such as `released DEAD_CREDIT`. */
export function outcomeText({ outcome }: AttemptReport): string {
  switch (outcome.case) {
    case 'released':
      return `released ${enumName(ReleaseReason, outcome.value.reason)}`;
    case 'failure':
      return `failure of type ${JSON.stringify(outcome.value.type)}: ${outcome.value.message.slice(0, 200)}`;
    case 'result':
      return `result of ${outcome.value.data.length} bytes, ${outcome.value.contentType || 'no content type'}`;
    default:
      return outcome.case ?? 'no outcome';
  }
}
