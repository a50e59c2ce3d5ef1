/** One attempt that the kit hands to the worker, and what the worker has said of it. */
import type { Assignment } from '@muster/sdk/gen/muster/v1/assignment_pb';
import type { LogRecord } from '@muster/sdk/gen/muster/v1/log_record_pb';
import {
  type AttemptReport,
  type ProgressUpdate,
  ReleaseReason,
  type ReportResult,
} from '@muster/sdk/gen/muster/v1/session_service_pb';
import { enumName } from '../enum-name.ts';

export interface ReportSeen {
  readonly report: AttemptReport;
  readonly at: number;
  /** Number of its ReportAttempts call among those of the session. */
  readonly call: number;
  /** What it was, or would have been, answered with. */
  readonly result: ReportResult;
}

export class Attempt {
  /** What the case calls it. */
  readonly name: string;
  readonly assignment: Assignment;
  /** When it was last sent. */
  sentAt = 0;
  /** When the first beat came that listed it, and the first that listed it as started. */
  heldAt: number | undefined;
  startedAt: number | undefined;
  isCancelled = false;
  readonly updates: ProgressUpdate[] = [];
  readonly logs: LogRecord[] = [];
  readonly reports: ReportSeen[] = [];
  /** Gives its work to another attempt of its name, where the case leaves it to the kit under which credit. */
  reassign: (() => Promise<void>) | undefined;
  /** When an answer left that ends the holding. */
  answeredAt: number | undefined;

  constructor(name: string, assignment: Assignment) {
    this.name = name;
    this.assignment = assignment;
  }

  get key(): string {
    return keyOf(this.assignment);
  }

  /** Its credit was voided while it was on its way: as the server does it, the work comes again under another. */
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

/** Such as `released DEAD_CREDIT`, for people. */
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
