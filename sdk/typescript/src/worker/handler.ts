/** The interface of handlers, and the errors with which they control the retry of their job. */
import type { JobRef } from '../client/jobs/job-ref.ts';
import type { Job } from '../gen/muster/v1/job_pb.ts';
import type { Payload } from '../gen/muster/v1/payload_pb.ts';
import type { LogLevel } from '../logger.ts';
import type { Known } from '../options/known-options.ts';
import { refuseUnknownOptions } from '../options/known-options.ts';
import type { InputArguments, OutputsOf, TypedJob, TypedRef } from '../typed/typed-job.ts';
import type { Child, ChildOptions } from './children.ts';
import type { StopReason } from './core/base/ports.ts';
import type { ProgressCounts } from './progress.ts';

/** The job that a handler works on. */
export interface JobContext {
  /** UUID of the job. */
  readonly jobId: string;
  /** Number of the attempt. Rises within a job; numbers may be skipped. */
  readonly attempt: number;
  /** Earlier attempts that count towards the retry policy. */
  readonly attemptCount: number;
  readonly namespace: string;
  readonly definition: string;
  readonly definitionVersion: number;
  /** Run timeout of the definition, in milliseconds. Later extensions are not included. */
  readonly runTimeoutMs: number;
  /** The input as submitted, byte for byte. `undefined`: none. */
  readonly input: Payload | undefined;
  /** The last `checkpoint` of an earlier attempt, decoded. `undefined`: none. */
  readonly lastCheckpoint: unknown;
  /** Aborted when the handler should stop; its `reason` is a `HandlerStopped`. */
  readonly signal: AbortSignal;
  /** The same for every attempt of the job: pass it to services that deduplicate. */
  readonly idempotencyKey: string;
  /** Rises with each attempt: a store that remembers the highest value can refuse writes of earlier attempts. */
  readonly fencingToken: number;
  /**
   * W3C trace context for calls of the handler: that of the handler's own span if the application has set up
   * OpenTelemetry, else that of the attempt. Empty: none.
   */
  readonly traceparent: string;
  /** The W3C trace state for `traceparent`. */
  readonly tracestate: string;
  /**
   * Reports the handler's progress. Sent within a second.
   *
   * @param progress A fraction from 0 to 1; values outside are clamped. Or a count, such as
   *   `{ done: 400, total: 1000, unit: 'rows' }`.
   * @param message Shown to operators; cut at 256 characters.
   */
  progress(progress: number | ProgressCounts, message?: string): void;
  /**
   * Stores a value from which a later attempt can continue. Sent within a second; if this attempt fails, before its
   * report.
   *
   * @param value Any JSON value, a `Uint8Array` or a `Payload`.
   * @throws RangeError when the value exceeds the server's maximum size; TypeError when it can't be written as JSON.
   */
  checkpoint(value: unknown): void;
  /**
   * Extends the run timeout, which still counts from the handler's start; several calls add up. Sent within a second,
   * or before the run timeout if less time is left. It extends neither the total timeout of the job nor its progress
   * timeout, and has no effect once `signal` is aborted with `run_timeout`.
   *
   * @param ms Milliseconds, above 0.
   * @throws RangeError when `ms` is not positive and finite, or the handler could run for more than 30 days in total.
   */
  extendRunTimeout(ms: number): void;
  /**
   * Writes a record to the attempt's log, which `Client.logs` and `muster logs` show soon after, and to the worker's
   * logger, with job id, attempt and trace. The newest 64 KiB of an attempt are kept, as long as its job; dropped
   * records show as a gap.
   *
   * @param message Cut after 8 KiB.
   * @param fields Additional facts: strings as they are, other values as JSON. At most 32, and 8 KiB together with the
   *   message; the rest is dropped.
   */
  log(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void;
  /**
   * Submits a child of the job. When the handler runs again, the same call returns the existing child. A child is
   * identified by its `key`, or by its number; so a handler must submit the same children in the same order each time.
   *
   * @throws MusterError FAILED_PRECONDITION (PARENT_ATTEMPT_CLOSED) when the worker no longer holds the attempt;
   *   ALREADY_EXISTS (IDEMPOTENCY_CONFLICT) when an earlier run submitted a different job under the same key or number;
   *   INVALID_ARGUMENT (INPUT_SCHEMA_VIOLATED) when the input does not fit.
   */
  submit<Input, Output>(
    job: TypedJob<Input, Output>,
    ...rest: InputArguments<Input, ChildOptions>
  ): Promise<Child<Output>>;
  submit(definition: string, input?: unknown, options?: ChildOptions): Promise<Child>;
  /**
   * Returns the results of children, in their order, once all have ended. Until then it throws `WaitsForChildren`,
   * which the handler must not catch: the job releases its slot and permits, and the handler runs again from its start
   * when the children have ended.
   *
   * @throws JobFailedError when a child ended without a result.
   */
  wait<const Refs extends readonly TypedRef[]>(children: Refs): Promise<OutputsOf<Refs>>;
  wait<T = unknown>(children: readonly JobRef[]): Promise<T[]>;
  /** Like `wait`, but returns the jobs, whatever their outcome. */
  ended(children: readonly JobRef[]): Promise<Job[]>;
  /**
   * Ends this run of the handler, without counting it. Throws `HandlerSuspended`, which the handler must not catch. Call
   * it when `signal` is aborted with `suspended`: the handler runs again from its start once the job is resumed. Without
   * such a request it runs again soon.
   *
   * @param checkpoint Where it continues then, as for `checkpoint`. `undefined`: at the last checkpoint.
   * @throws RangeError, TypeError: as for `checkpoint`.
   */
  suspend(checkpoint?: unknown): never;
}

/**
 * Runs one attempt. The return value is the job's result: any JSON value, a `Uint8Array`, a `Payload`, or nothing. A
 * thrown error fails the attempt; the retry policy decides whether another one follows.
 *
 * @param input The input, decoded: a JSON value, the bytes of any other type, or `undefined`.
 */
// biome-ignore lint/suspicious/noExplicitAny: the user's handler declares the type of its input.
export type HandlerFunction = (context: JobContext, input: any) => unknown;

/** A handler that serves only some versions of its definition. */
export interface VersionedHandler<Run = HandlerFunction> {
  readonly run: Run;
  /** Lowest version. Default: any. */
  readonly minVersion?: number;
  /** Highest version. Default: any. */
  readonly maxVersion?: number;
}

const versionedHandler: Known<VersionedHandler> = { run: true, minVersion: true, maxVersion: true };

/**
 * @param where The handler, for errors.
 * @throws TypeError when `handler` holds no function, or has an unknown field.
 */
export function handlerFunction(handler: HandlerFunction | VersionedHandler, where = 'handler'): HandlerFunction {
  const run = typeof handler === 'function' ? handler : handler?.run;
  if (typeof handler === 'object' && handler !== null) refuseUnknownOptions(where, handler, versionedHandler);
  if (typeof run === 'function') return run;
  throw new TypeError(`${where}: ${run} is no function: give one, or an object that has one as its "run"`);
}

/** Handlers by their names. */
export type Handlers = Readonly<Record<string, HandlerFunction | VersionedHandler>>;

/** Thrown by a handler when another attempt would fail too: the job is not retried. */
export class NonRetryableError extends Error {
  override readonly name: string = 'NonRetryableError';
}

/** Thrown by a handler to set the delay of its next attempt. */
export class RetryLater extends Error {
  override readonly name: string = 'RetryLater';
  readonly delayMs: number;

  /** @param delayMs Milliseconds until the next attempt. */
  constructor(delayMs: number, message = `again in ${delayMs} ms`, options?: ErrorOptions) {
    super(message, options);
    if (!Number.isFinite(delayMs) || delayMs < 0) throw new RangeError(`a delay can't be ${delayMs} ms`);
    this.delayMs = delayMs;
  }
}

/**
 * Thrown by a handler when its environment failed: disk, memory, machine. The attempt does not count, unless a retry
 * rule says otherwise.
 *
 * Any error may have a property `exitCode` from 1 to 255, the exit code of a process that the handler ran. Retry rules
 * can match it.
 */
export class InfrastructureError extends Error {
  override readonly name: string = 'InfrastructureError';
}

/** Thrown by `ctx.suspend`. It ends this run of the handler, which must not catch it. */
export class HandlerSuspended extends Error {
  override readonly name = 'HandlerSuspended';

  constructor() {
    super('the handler has suspended its job: it must not catch this error, and runs again later');
  }
}

/** The reason of `ctx.signal`. */
export class HandlerStopped extends Error {
  override readonly name = 'HandlerStopped';
  /**
   * `cancelled`: the job was cancelled; `suspended`: the job was paused, and the handler may leave a checkpoint with
   * `ctx.suspend`, or give up in any other way; `run_timeout`: the handler took too long; `lease_lost`: the worker can't
   * prove that it still holds the attempt; `shutdown`: the worker stops.
   */
  readonly reason: StopReason;

  constructor(reason: StopReason) {
    super(`the handler was asked to stop: ${reason}`);
    this.reason = reason;
  }
}
