/** Runs handlers on the main thread and sends their outcomes to the session's thread, batched per turn. */
// Imported, not the global one: tests of handlers may replace the global one along with their timers.
import { setImmediate } from 'node:timers';
import type { MessagePort } from 'node:worker_threads';
import type { Failure } from '../gen/muster/v1/failure_pb.ts';
import type { Payload } from '../gen/muster/v1/payload_pb.ts';
import type { Logger } from '../logger.ts';
import { decodePayload } from '../payload.ts';
import type { ChildApi } from './children.ts';
import { WaitsForChildren } from './children.ts';
import type { StopReason } from './core/base/ports.ts';
import { toFailure } from './failure.ts';
import type { HandlerFunction } from './handler.ts';
import { HandlerSuspended, NonRetryableError } from './handler.ts';
import type { ReportedProgress } from './progress.ts';
import type { JobOutlet } from './running-job.ts';
import { RunningJob } from './running-job.ts';
import { EndsPacker } from './thread/ends.ts';
import type { HandlerUpdate, ToSession } from './thread/messages.ts';
import type { SlotFlags } from './thread/slot-flags.ts';
import type { PackedStarts, StartedAttempt } from './thread/starts.ts';
import { unpackStarts } from './thread/starts.ts';

/** Milliseconds after which a turn yields although more handlers are due, so that outcomes are sent in between. */
const LONGEST_TURN_MS = 5;

/** The sending side of the port to the session's thread. */
export type SessionPort = Pick<MessagePort, 'postMessage'>;

export class HandlerHost implements JobOutlet {
  maxPayload = Number.POSITIVE_INFINITY;
  readonly children: ChildApi;
  readonly #handlers: ReadonlyMap<string, HandlerFunction>;
  readonly #flags: SlotFlags;
  readonly #logger: Logger;
  readonly #port: SessionPort;
  readonly #running: (RunningJob | undefined)[] = [];
  readonly #ends = new EndsPacker();
  /** Batches that are not started, or only in part. */
  readonly #starting: Generator<StartedAttempt>[] = [];
  #updates: HandlerUpdate[] = [];
  /** Jobs with unsent log records. */
  readonly #logging = new Set<RunningJob>();
  #flushDue = false;

  constructor(
    handlers: ReadonlyMap<string, HandlerFunction>,
    flags: SlotFlags,
    logger: Logger,
    port: SessionPort,
    children: ChildApi,
  ) {
    this.children = children;
    this.#handlers = handlers;
    this.#flags = flags;
    this.#logger = logger;
    this.#port = port;
  }

  startAll(starts: PackedStarts): void {
    this.#starting.push(unpackStarts(starts));
    if (this.#starting.length === 1) this.#startTurn();
  }

  stop(slot: number, reason: StopReason): void {
    this.#running[slot]?.stop(reason);
  }

  stopAll(reason: StopReason): void {
    for (const job of this.#running) job?.stop(reason);
  }

  progress(slot: number, progress: ReportedProgress): void {
    this.#update({ slot, progress });
  }

  checkpoint(slot: number, { data, contentType, metadata }: Payload): void {
    this.#update({ slot, checkpoint: { data: data.slice(), contentType, metadata } });
  }

  /** Sent at once: if the handler blocks this thread, the end of the turn could come after its run timeout. */
  extendRunTimeout(slot: number, extensionMs: number): void {
    this.#update({ slot, extensionMs });
    this.#flush();
  }

  log(...record: Parameters<Logger['log']>): void {
    this.#logger.log(...record);
  }

  logged(job: RunningJob): void {
    this.#logging.add(job);
    this.#flushSoon();
  }

  #startTurn(): void {
    this.#flush();
    const end = performance.now() + LONGEST_TURN_MS;
    for (let batch = this.#starting[0]; batch !== undefined; batch = this.#starting[0]) {
      for (let next = batch.next(); !next.done; next = batch.next()) {
        // An attempt that was withdrawn meanwhile is never entered.
        if (this.#flags.enter(next.value.slot, next.value.ticket)) this.#start(next.value);
        if (performance.now() < end) continue;
        setImmediate(() => this.#startTurn());
        return;
      }
      this.#starting.shift();
    }
  }

  #start(started: StartedAttempt): void {
    const job = new RunningJob(started, this);
    this.#running[started.slot] = job;
    let returned: unknown;
    try {
      const handler = this.#handlers.get(started.handler);
      if (handler === undefined) throw new NonRetryableError(`there is no handler "${started.handler}"`);
      returned = job.run(handler, decodeInput(started.input));
    } catch (error) {
      this.#failed(job, error);
      return;
    }
    if (!isPromiseLike(returned)) this.#succeeded(job, returned);
    else
      Promise.resolve(returned).then(
        (value) => this.#succeeded(job, value),
        (error: unknown) => this.#failed(job, error),
      );
  }

  #succeeded(job: RunningJob, value: unknown): void {
    try {
      this.#ends.addResult(job.slot, value);
    } catch (error) {
      this.#failed(job, new NonRetryableError('the result can not be written as JSON', { cause: error }));
      return;
    }
    job.succeed();
    this.#ended(job);
  }

  #failed(job: RunningJob, error: unknown): void {
    if (error instanceof WaitsForChildren || error instanceof HandlerSuspended) {
      this.#ends.addSuspension(job.slot, error instanceof WaitsForChildren ? error.childIds : []);
      job.succeed();
      this.#ended(job);
      return;
    }
    const failure: Failure = toFailure(error);
    this.#ends.addFailure(job.slot, failure);
    job.fail(error);
    this.#ended(job);
  }

  #ended(job: RunningJob): void {
    this.#running[job.slot] = undefined;
    this.#flushSoon();
  }

  #update(update: HandlerUpdate): void {
    this.#updates.push(update);
    this.#flushSoon();
  }

  /** Sends at the end of this turn: by then all handlers that did not have to wait have returned. */
  #flushSoon(): void {
    if (this.#flushDue) return;
    this.#flushDue = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    if (!this.#flushDue) return;
    this.#flushDue = false;
    const updates = this.#updates;
    this.#updates = [];
    for (const job of this.#logging) updates.push({ slot: job.slot, logs: job.takeLogs() });
    this.#logging.clear();
    const ends = this.#ends.take();
    const message: ToSession = { kind: 'ends', updates, ends };
    this.#port.postMessage(message, [ends.bytes.buffer]);
  }
}

function decodeInput(input: Payload | undefined): unknown {
  try {
    return decodePayload(input);
  } catch (error) {
    throw new NonRetryableError('the input is not what its content type says', { cause: error });
  }
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
