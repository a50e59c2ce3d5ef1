/** A job whose handler runs. Parts that few handlers use are made on first use. */
import type { JobRef } from '../client/jobs/job-ref.ts';
import type { Job } from '../gen/muster/v1/job_pb.ts';
import type { Payload } from '../gen/muster/v1/payload_pb.ts';
import type { LogLevel } from '../logger.ts';
import { decodePayload, encodePayload } from '../payload.ts';
import { HandlerLog } from '../tracing/handler-log.ts';
import { HandlerSpan } from '../tracing/handler-span.ts';
import type { InputArguments, OutputsOf, TypedJob, TypedRef } from '../typed/typed-job.ts';
import { uuidText } from '../uuid.ts';
import type { Child, ChildApi, ChildOptions } from './children.ts';
import { Children } from './children.ts';
import { MAX_RUN_TIME } from './core/base/limits.ts';
import type { StopReason } from './core/base/ports.ts';
import type { LogLine } from './core/sessions/log-tail.ts';
import { LogTail } from './core/sessions/log-tail.ts';
import type { HandlerFunction, JobContext } from './handler.ts';
import { HandlerStopped, HandlerSuspended } from './handler.ts';
import { logLine } from './log-line.ts';
import { type ProgressCounts, type ReportedProgress, reportedProgress } from './progress.ts';
import type { StartedAttempt } from './thread/starts.ts';

/** Receives what a running job reports. */
export interface JobOutlet {
  /** Largest checkpoint in bytes. */
  readonly maxPayload: number;
  readonly children: ChildApi;
  progress(slot: number, progress: ReportedProgress): void;
  checkpoint(slot: number, checkpoint: Payload): void;
  /** @param extensionMs Sum of all extensions so far, in milliseconds. */
  extendRunTimeout(slot: number, extensionMs: number): void;
  log(level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>): void;
  /** The job has log records to take. */
  logged(job: RunningJob): void;
}

export class RunningJob implements JobContext {
  readonly slot: number;
  readonly #started: StartedAttempt;
  readonly #outlet: JobOutlet;
  readonly #span: HandlerSpan | undefined;
  #jobId: string | undefined;
  #controller: AbortController | undefined;
  #stopped: StopReason | undefined;
  #extensionMs = 0;
  #logs: LogTail | undefined;
  #logSequence = 0;
  #telemetry: HandlerLog | undefined;
  #ended = false;
  #children: Children | undefined;

  constructor(started: StartedAttempt, outlet: JobOutlet) {
    this.slot = started.slot;
    this.#started = started;
    this.#outlet = outlet;
    this.#span = HandlerSpan.start(started);
  }

  get jobId(): string {
    this.#jobId ??= uuidText(this.#started.jobId);
    return this.#jobId;
  }

  get attempt(): number {
    return this.#started.attempt;
  }

  get attemptCount(): number {
    return this.#started.attemptCount;
  }

  get namespace(): string {
    return this.#started.namespace;
  }

  get definition(): string {
    return this.#started.definition;
  }

  get definitionVersion(): number {
    return this.#started.definitionVersion;
  }

  get runTimeoutMs(): number {
    return this.#started.runTimeoutMs;
  }

  get input(): Payload | undefined {
    return this.#started.input;
  }

  get lastCheckpoint(): unknown {
    return decodePayload(this.#started.checkpoint);
  }

  get idempotencyKey(): string {
    return this.jobId;
  }

  get fencingToken(): number {
    return this.#started.attempt;
  }

  get traceparent(): string {
    return this.#span?.fields?.traceparent ?? this.#started.traceparent;
  }

  get tracestate(): string {
    return this.#span?.fields?.tracestate ?? this.#started.tracestate;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#stopped) this.#controller.abort(new HandlerStopped(this.#stopped));
    }
    return this.#controller.signal;
  }

  progress(progress: number | ProgressCounts, message = ''): void {
    if (!this.#ended) this.#outlet.progress(this.slot, reportedProgress(progress, message));
  }

  checkpoint(value: unknown): void {
    if (this.#ended) return;
    const checkpoint = encodePayload(value);
    if (checkpoint === undefined) throw new TypeError('a checkpoint needs a value');
    const size = checkpoint.data.length;
    const { maxPayload } = this.#outlet;
    if (size > maxPayload) throw new RangeError(`the checkpoint has ${size} bytes; the maximum is ${maxPayload}`);
    this.#outlet.checkpoint(this.slot, checkpoint);
  }

  extendRunTimeout(ms: number): void {
    if (!(Number.isFinite(ms) && ms > 0)) throw new RangeError(`a run timeout can't be extended by ${ms} ms`);
    const extensionMs = this.#extensionMs + ms;
    const longest = this.runTimeoutMs + extensionMs;
    if (longest > MAX_RUN_TIME)
      throw new RangeError(`the handler could run for ${longest} ms; the maximum is ${MAX_RUN_TIME}`);
    if (this.#ended) return;
    this.#extensionMs = extensionMs;
    this.#outlet.extendRunTimeout(this.slot, extensionMs);
  }

  log(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void {
    this.#telemetry ??= new HandlerLog(this.#started, this.#span);
    const isWanted = this.#telemetry.wants(level);
    if (!this.#ended || isWanted) {
      const line = logLine(++this.#logSequence, Date.now(), level, message, fields);
      if (!this.#ended) this.#keep(line);
      if (isWanted) this.#telemetry.emit(line, fields);
    }
    const { jobId, attempt, traceparent } = this;
    this.#outlet.log(level, message, { ...fields, jobId, attempt, ...(traceparent && { traceparent }) });
  }

  submit<Input, Output>(
    job: TypedJob<Input, Output>,
    ...rest: InputArguments<Input, ChildOptions>
  ): Promise<Child<Output>>;
  submit(definition: string, input?: unknown, options?: ChildOptions): Promise<Child>;
  submit(job: string | TypedJob, input?: unknown, options: ChildOptions = {}): Promise<Child> {
    return this.#childrenOf().submit(job, input, options);
  }

  wait<const Refs extends readonly TypedRef[]>(children: Refs): Promise<OutputsOf<Refs>>;
  wait<T = unknown>(children: readonly JobRef[]): Promise<T[]>;
  wait(children: readonly JobRef[]): Promise<unknown[]> {
    return this.#childrenOf().wait(children);
  }

  ended(children: readonly JobRef[]): Promise<Job[]> {
    return this.#childrenOf().ended(children);
  }

  suspend(checkpoint?: unknown): never {
    if (checkpoint !== undefined) this.checkpoint(checkpoint);
    throw new HandlerSuspended();
  }

  #childrenOf(): Children {
    this.#children ??= new Children(this.#outlet.children, { jobId: this.jobId, attempt: this.attempt });
    return this.#children;
  }

  #keep(line: LogLine): void {
    this.#logs ??= new LogTail();
    this.#logs.add(line);
    this.#outlet.logged(this);
  }

  /** Log records since the last call; when there are too many, only the newest. */
  takeLogs(): LogLine[] {
    return this.#logs?.take() ?? [];
  }

  /** Signals the handler. */
  stop(reason: StopReason): void {
    this.#stopped ??= reason;
    this.#controller?.abort(new HandlerStopped(this.#stopped));
  }

  /** Calls the handler, in its span if the application traces. */
  run(handler: HandlerFunction, input: unknown): unknown {
    const span = this.#span;
    return span ? span.run(() => handler(this, input)) : handler(this, input);
  }

  /** The handler has returned: from now on, reports of it are ignored. */
  succeed(): void {
    this.#ended = true;
    this.#span?.succeed();
  }

  /** The handler has thrown or could not be called, or its result can't be encoded. */
  fail(error: unknown): void {
    this.#ended = true;
    this.#span?.fail(error);
  }
}
