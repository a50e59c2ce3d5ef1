/** The outcome of a handler under test, with everything that it reported in all of its runs. */
import type { Failure } from '../gen/muster/v1/failure_pb.ts';
import type { JobSubmission } from '../gen/muster/v1/job_pb.ts';
import type { LogRecord } from '../gen/muster/v1/log_record_pb.ts';
import type { Payload } from '../gen/muster/v1/payload_pb.ts';
import { decodePayload } from '../payload.ts';
import type { Outcome } from '../worker/core/sessions/outcome.ts';
import type { ProgressCounts } from '../worker/progress.ts';

/**
 * What the worker would report: a `result` or a `failure`; `cancelled`: the handler gave up because of a cancel;
 * `aborted`: its lease was lost; `suspended`: it stopped on request, or waits for open children; `dropped`: nothing, because the worker stops
 * and the job is assigned to another one.
 */
export type ReportKind = 'result' | 'failure' | 'cancelled' | 'aborted' | 'suspended' | 'dropped';

/** A progress report of a handler. */
export interface SaidProgress {
  /** From 0 to 1. */
  readonly fraction: number;
  /** Empty: none. */
  readonly message: string;
  /** Undefined: a fraction was reported. */
  readonly counts?: ProgressCounts;
}

/** Reports of a running handler. */
export interface Said {
  readonly progress: SaidProgress[];
  readonly checkpoints: Payload[];
  readonly logs: LogRecord[];
  runs: number;
  /** Of the last run, in milliseconds. */
  extensionMs: number;
}

/** The outcome of a handler. */
export class HandlerOutcome<T = unknown> {
  readonly kind: ReportKind;
  /** The encoded result. `undefined`: the handler has none. */
  readonly payload: Payload | undefined;
  /**
   * The reported failure, with the fields that control the retry: `final`, `retryDelay`, `failureCause`, `exitCode`.
   * `undefined`: the handler has not failed.
   */
  readonly failure: Failure | undefined;
  /** All progress reports, in order. */
  readonly progress: readonly SaidProgress[];
  /** All checkpoints, decoded, in order. */
  readonly checkpoints: readonly unknown[];
  /** All log records, in order; of each run the newest 64 KiB, as in production. */
  readonly logs: readonly LogRecord[];
  /** Milliseconds by which the last run extended its run timeout. */
  readonly runTimeoutExtensionMs: number;
  /** Number of runs: one, plus one for each time that it waited for children. */
  readonly runs: number;
  /** The submitted children, without duplicates, in order; `decodePayload` reads their input. */
  readonly children: readonly JobSubmission[];
  readonly #result: unknown;

  constructor(report: Outcome | undefined, said: Said, children: readonly JobSubmission[]) {
    this.kind = kindOf(report);
    this.payload = report?.case === 'result' ? report.value : undefined;
    this.failure = report?.case === 'failure' ? report.value : undefined;
    this.progress = said.progress;
    this.checkpoints = said.checkpoints.map(decodePayload);
    this.logs = said.logs;
    this.runTimeoutExtensionMs = said.extensionMs;
    this.runs = said.runs;
    this.children = children;
    this.#result = decodePayload(this.payload);
  }

  /**
   * The handler's result, as a client reads it.
   *
   * @throws Error when the handler has no result; the message says how it ended.
   */
  get result(): T {
    if (this.kind === 'result') return this.#result as T;
    const why = this.failure ? `: ${this.failure.type}: ${this.failure.message}` : '';
    throw new Error(`the handler has no result, it ended with "${this.kind}"${why}`);
  }
}

function kindOf(report: Outcome | undefined): ReportKind {
  switch (report?.case) {
    case 'result':
    case 'failure':
    case 'cancelled':
    case 'aborted':
    case 'suspended':
      return report.case;
    default:
      return 'dropped';
  }
}
