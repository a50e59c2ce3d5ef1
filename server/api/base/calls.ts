/** Calls in progress on all ports: counted, bounded, and ended by their deadline or when their caller disconnects. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { EngineError } from '../../engine/base/errors.ts';
import type { CallMeter, Log, MeasuredCall } from '../../engine/ports/ports.ts';
import { Code, codeName } from './code.ts';
import { ApiError, type RpcStatus, statusOf } from './status.ts';

/** A transport's view of the caller. */
export interface Caller {
  readonly system: MeasuredCall['system'];
  /** Size of the request. */
  readonly bytes: number;
  /** Time until its deadline; Infinity if there is none. */
  readonly leftMs: number;
  /** Registers `listener` for the caller's disconnect; returns a function that removes it. */
  onGone(listener: () => void): () => void;
}

/** A failed call; the transport encodes the status in its own way. */
export class CallFailure extends Error {
  readonly status: RpcStatus;

  constructor(status: RpcStatus) {
    super(status.message);
    this.status = status;
  }
}

/** Aborts when the call that runs the current code has ended early. */
export const currentCall = new AsyncLocalStorage<AbortSignal>();

/** Maximum calls in progress; further calls are refused with a retry hint. */
const MAX_CALLS = 20_000;
/** Maximum size of all requests in progress. */
const MAX_BYTES = 128 << 20;
/** Reports must still arrive when clients have used up the bytes; workers repeat and never stop reporting. */
const MAX_BYTES_OF_WORKERS = 192 << 20;
const WORKERS = 'muster.worker.';

const overload = { retryAfterMs: 500 };

const tooLate = () => new ApiError('DEADLINE_EXCEEDED', 'the deadline passed before the call was done');

/** The bounds of one call. The deadline must be in the future. */
class Bounds {
  readonly #abort = new AbortController();
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #stopListening: () => void;

  constructor(caller: Caller) {
    if (caller.leftMs <= 0) throw tooLate();
    // A longer delay would make a timer fire at once.
    if (caller.leftMs < 2 ** 31) this.#timer = setTimeout(() => this.#abort.abort(tooLate()), caller.leftMs);
    const gone = () => this.#abort.abort(new ApiError('CALL_CANCELLED', 'the caller went away'));
    this.#stopListening = caller.onGone(gone);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /**
   * The result of the work, unless the deadline passes or the caller disconnects first. Racing against one promise per
   * call would keep every message of a stream in memory until its end.
   */
  within<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const broken = () => reject(this.signal.reason);
      const settled = () => this.signal.removeEventListener('abort', broken);
      work.then(resolve, reject).then(settled);
      if (this.signal.aborted) broken();
      else this.signal.addEventListener('abort', broken);
    });
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#stopListening();
  }
}

export class Calls {
  readonly #log: Log;
  readonly #meter: CallMeter;
  #count = 0;
  #bytes = 0;
  #stopping = false;

  constructor(log: Log, meter: CallMeter) {
    this.#log = log;
    this.#meter = meter;
  }

  /** From now on new calls are refused; calls in progress continue. */
  stop(): void {
    this.#stopping = true;
  }

  /** @throws CallFailure */
  async run<T>(name: string, caller: Caller, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const measured = this.#measure(name, caller);
    try {
      const bounds = this.#begin(name, caller);
      try {
        const { signal } = bounds;
        const answer = await bounds.within(currentCall.run(signal, () => work(signal)));
        measured(Code.OK);
        return answer;
      } finally {
        this.#end(bounds, caller);
      }
    } catch (error) {
      const failure = this.#failure(error, name);
      measured(failure.status.code);
      throw failure;
    }
  }

  /** Passes on the results of the work for as long as the caller wants more. @throws CallFailure */
  async *stream<T>(
    name: string,
    caller: Caller,
    work: (signal: AbortSignal) => AsyncIterable<T>,
  ): AsyncGenerator<T, void, undefined> {
    const measured = this.#measure(name, caller);
    // The code if the caller stops reading before the end.
    let code: number = Code.CANCELLED;
    try {
      yield* this.#passOn(name, caller, work);
      code = Code.OK;
    } catch (error) {
      const failure = this.#failure(error, name);
      code = failure.status.code;
      throw failure;
    } finally {
      measured(code);
    }
  }

  async *#passOn<T>(
    name: string,
    caller: Caller,
    work: (signal: AbortSignal) => AsyncIterable<T>,
  ): AsyncGenerator<T, void, undefined> {
    const bounds = this.#begin(name, caller);
    const answers = work(bounds.signal)[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await bounds.within(currentCall.run(bounds.signal, () => answers.next()));
        if (next.done) return;
        yield next.value;
      }
    } finally {
      this.#end(bounds, caller);
      // Not awaited: work that ignores its signal would delay the end.
      void answers.return?.()?.catch(() => {});
    }
  }

  /** Starts to time a call; the returned function records its status code. */
  #measure(method: string, { system }: Caller): (code: number) => void {
    const start = performance.now();
    return (code) => {
      const seconds = (performance.now() - start) / 1_000;
      this.#meter.ended({ system, method, code: codeName(code) }, seconds);
    };
  }

  #begin(name: string, caller: Caller): Bounds {
    if (this.#stopping) throw new ApiError('SHUTTING_DOWN', 'this replica is shutting down; try another');
    if (this.#count >= MAX_CALLS)
      throw new EngineError('OVERLOADED', `more than ${MAX_CALLS} calls are under way here; try again`, overload);
    const maxBytes = name.startsWith(WORKERS) ? MAX_BYTES_OF_WORKERS : MAX_BYTES;
    if (this.#bytes > 0 && this.#bytes + caller.bytes > maxBytes)
      throw new EngineError('OVERLOADED', 'the calls under way here are too large together; try again', overload);
    const bounds = new Bounds(caller);
    this.#count++;
    this.#bytes += caller.bytes;
    return bounds;
  }

  #end(bounds: Bounds, caller: Caller): void {
    this.#count--;
    this.#bytes -= caller.bytes;
    bounds.end();
  }

  #failure(error: unknown, name: string): CallFailure {
    const status = statusOf(error);
    const { fault } = status;
    if (fault)
      this.#log.error(
        { rpc: name, errorId: fault.id, error: (fault.error as Error)?.stack ?? String(fault.error) },
        'a call failed with an internal error',
      );
    return new CallFailure(status);
  }
}
