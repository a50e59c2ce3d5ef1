/** What a handler is, and the errors by which it steers what becomes of its job. */
import type { JobRef } from '../client/job-ref.ts';
import type { Job } from '../gen/muster/v1/job_pb.ts';
import type { Payload } from '../gen/muster/v1/payload_pb.ts';
import type { LogLevel } from '../logger.ts';
import type { Child, ChildOptions } from './children.ts';
import type { StopReason } from './core/ports.ts';

/** The job that a handler works on. */
export interface JobContext {
  /** UUID of the job. */
  readonly jobId: string;
  /** Number of the attempt; rises within a job and may skip. */
  readonly attempt: number;
  /** Attempts before this one that counted towards the retry policy. */
  readonly attemptsCounted: number;
  readonly namespace: string;
  readonly definition: string;
  readonly definitionVersion: number;
  /** Longest time that the handler may run, in milliseconds, as its definition says; what it asks for later is not in it. */
  readonly runTimeoutMs: number;
  /** The input as it was submitted, byte for byte. `undefined`: none was. */
  readonly input: Payload | undefined;
  /** What an earlier attempt left with `checkpoint`, decoded. `undefined`: nothing. */
  readonly lastCheckpoint: unknown;
  /** Aborted when the handler should stop; its `reason` is a `HandlerStopped`. */
  readonly signal: AbortSignal;
  /** The same for every attempt of the job: pass it to services that keep duplicates out. */
  readonly idempotencyKey: string;
  /** Higher for each later attempt: a store that remembers the highest can refuse writes of those before. */
  readonly fencingToken: number;
  /**
   * W3C trace context for what the handler calls: of the handler's own span where the application has set up OpenTelemetry,
   * else of the attempt. Empty: none.
   */
  readonly traceparent: string;
  /** The W3C trace state that goes with it. */
  readonly tracestate: string;
  /**
   * Says how far the handler is. Sent within a second.
   *
   * @param fraction From 0 to 1; what lies outside is cut.
   * @param message For people; cut at 256 characters.
   */
  progress(fraction: number, message?: string): void;
  /**
   * Keeps what a later attempt may start from. Sent within a second, and before the report if this attempt fails.
   *
   * @param value Any JSON value, a `Uint8Array` or a `Payload`.
   * @throws RangeError when it is larger than the server takes; TypeError when it can't be written as JSON.
   */
  checkpoint(value: unknown): void;
  /**
   * Asks for more time than the run timeout, which still counts from the handler's start; several calls add up. Sent at
   * once where a second could be too late. It moves neither the total timeout of the job nor how long it may be silent,
   * and comes too late once `signal` says `run_timeout`.
   *
   * @param ms Milliseconds, above 0.
   * @throws RangeError when it is no such number, or would let the handler run for more than 30 days in all.
   */
  extendRunTimeout(ms: number): void;
  /**
   * Writes a record to the attempt's log, which `Client.logs` and `muster logs` show soon after, and to the
   * worker's logger, with the job's id, the attempt and the trace. Kept are the newest 64 KiB of an attempt, as long as its
   * job; what is dropped shows as a gap.
   *
   * @param message Cut after 8 KiB.
   * @param fields Facts that belong to it: text as it is, anything else as JSON. At most 32, and 8 KiB together with the
   * message; the rest is dropped.
   */
  log(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void;
  /**
   * Stores a child of the job. When the handler runs again, the same call gives the child that was made before: children are told
   * apart by `key`, or by their number, so a handler submits the same ones in the same order each time it runs.
   *
   * @throws MusterError FAILED_PRECONDITION (PARENT_ATTEMPT_CLOSED) where the attempt is not the worker's any more;
   *   ALREADY_EXISTS (IDEMPOTENCY_CONFLICT) where an earlier run has submitted another job in its place.
   */
  submit(definition: string, input?: unknown, options?: ChildOptions): Promise<Child>;
  /**
   * The results of children, in their order, once all have ended. Until then it throws `WaitsForChildren`, which the handler lets
   * pass: the job gives its place and permits back, and the handler runs again, from its start, when they have.
   *
   * @throws JobFailedError when one of them ended without a result.
   */
  wait<T = unknown>(children: readonly JobRef[]): Promise<T[]>;
  /** As `wait`, but gives the jobs, whatever became of them. */
  ended(children: readonly JobRef[]): Promise<Job[]>;
}

/**
 * Runs one attempt. What it returns is the job's result: any JSON value, a `Uint8Array`, a `Payload`, or nothing. What
 * it throws fails the attempt, and the retry policy decides about another one.
 *
 * @param input The input, decoded: a JSON value, the bytes of any other type, or `undefined`.
 */
// biome-ignore lint/suspicious/noExplicitAny: the shape of the input is the user's, who states it in the handler.
export type HandlerFunction = (context: JobContext, input: any) => unknown;

/** A handler that serves only some versions of its definition. */
export interface VersionedHandler {
  readonly run: HandlerFunction;
  /** Lowest version. Default: any. */
  readonly minVersion?: number;
  /** Highest version. Default: any. */
  readonly maxVersion?: number;
}

/** @throws TypeError when there is nothing to be called. */
export function handlerFunction(handler: HandlerFunction | VersionedHandler): HandlerFunction {
  const run = typeof handler === 'function' ? handler : handler?.run;
  if (typeof run === 'function') return run;
  throw new TypeError(`handler: ${run} is no function: give one, or an object that has one as its "run"`);
}

/** Handlers by their names. */
export type Handlers = Readonly<Record<string, HandlerFunction | VersionedHandler>>;

/** Thrown by a handler that knows that another attempt can't help. */
export class FinalError extends Error {
  override readonly name: string = 'FinalError';
}

/** Thrown by a handler that wants its next attempt after a time of its own choice. */
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
 * Thrown by a handler that what it runs on has failed: no disk, no memory, a machine that goes away. Costs the job no
 * attempt unless a retry rule says otherwise.
 *
 * Any error may say how a process ended that the handler ran, in a property `exitCode` from 1 to 255; retry rules can go
 * by it.
 */
export class InfrastructureError extends Error {
  override readonly name: string = 'InfrastructureError';
}

/** The reason of `ctx.signal`. */
export class HandlerStopped extends Error {
  override readonly name = 'HandlerStopped';
  /**
   * `cancelled`: the job was; `run_timeout`: the handler took too long; `lease_lost`: the worker can't prove that the
   * attempt is still its own; `shutdown`: the worker ends.
   */
  readonly reason: StopReason;

  constructor(reason: StopReason) {
    super(`the handler was asked to stop: ${reason}`);
    this.reason = reason;
  }
}
