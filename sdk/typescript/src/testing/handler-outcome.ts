/** What came of a handler under test, and what it said of itself in all of its runs. */
import type { Failure } from '../gen/muster/v1/failure_pb.ts';
import type { JobSubmission } from '../gen/muster/v1/job_pb.ts';
import type { LogRecord } from '../gen/muster/v1/log_record_pb.ts';
import type { Payload } from '../gen/muster/v1/payload_pb.ts';
import { decodePayload } from '../payload.ts';
import type { Outcome } from '../worker/core/outcome.ts';

/**
 * What the worker would report: a `result` or a `failure`; `cancelled`: it gave up since it was asked to; `aborted`: its lease was
 * lost; `suspended`: it waits for children that are open; `dropped`: nothing, since the worker ends, and the job is given to another.
 */
export type ReportKind = 'result' | 'failure' | 'cancelled' | 'aborted' | 'suspended' | 'dropped';

/** How far a handler said that it is. */
export interface SaidProgress {
  /** From 0 to 1. */
  readonly fraction: number;
  /** Empty: it said none. */
  readonly message: string;
}

/** What a handler says while it runs. */
export interface Said {
  readonly progress: SaidProgress[];
  readonly checkpoints: Payload[];
  readonly logs: LogRecord[];
  runs: number;
  /** Of the last run. */
  extensionMs: number;
}

/** How a handler ended. */
export class HandlerOutcome<T = unknown> {
  readonly kind: ReportKind;
  /** The result as it travels. `undefined`: it has not ended with one. */
  readonly payload: Payload | undefined;
  /**
   * What would be reported of its failure, with what steers the retry: `final`, `retryDelay`, `failureCause`, `exitCode`.
   * `undefined`: it has not failed.
   */
  readonly failure: Failure | undefined;
  /** Each progress that it told, in order. */
  readonly progress: readonly SaidProgress[];
  /** Each checkpoint that it left, decoded, in order. */
  readonly checkpoints: readonly unknown[];
  /** Each record that it wrote to the log of the attempt, in order; of each run the newest 64 KiB, as in production. */
  readonly logs: readonly LogRecord[];
  /** Milliseconds that it asked for beyond its run timeout, in its last run. */
  readonly runTimeoutExtensionMs: number;
  /** How often it ran: once, and again each time that it had waited for children. */
  readonly runs: number;
  /** The children that it submitted, each once, in their order; `decodePayload` reads their input. */
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
   * What it returned, as a client reads it.
   *
   * @throws Error when it has not ended with a result; the message says how it has.
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
