/** The calls under way, on whichever port they came: counted, bounded, ended with their deadline or with their caller. */
import type { CallMeter, Log, MeasuredCall } from '../../engine/ports/ports.ts';
import { Code, codeName } from './code.ts';
import { ApiError, type RpcStatus, statusOf } from './status.ts';

/** What a transport knows about a call's other end. */
export interface Caller {
  readonly system: MeasuredCall['system'];
  /** Time left before its deadline; Infinity when it has none. */
  readonly leftMs: number;
  /** Has `listener` called when the caller goes away; returns what takes it off again. */
  onGone(listener: () => void): () => void;
}

/** A call that failed; the transport puts it into its own words. */
export class CallFailure extends Error {
  readonly status: RpcStatus;

  constructor(status: RpcStatus) {
    super(status.message);
    this.status = status;
  }
}

/** Calls under way at once; beyond them callers are asked to come back. */
const MAX_CALLS = 20_000;

const tooLate = () => new ApiError('DEADLINE_EXCEEDED', 'the deadline passed before the call was done');

/** The bounds of one call. Without a deadline still ahead there is no call. */
class Bounds {
  readonly #abort = new AbortController();
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #stopListening: () => void;

  constructor(caller: Caller) {
    if (caller.leftMs <= 0) throw tooLate();
    // A timer takes no more: a longer one would fire at once.
    if (caller.leftMs < 2 ** 31) this.#timer = setTimeout(() => this.#abort.abort(tooLate()), caller.leftMs);
    const gone = () => this.#abort.abort(new ApiError('CALL_CANCELLED', 'the caller went away'));
    this.#stopListening = caller.onGone(gone);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /**
   * What the work comes to, unless the deadline passes or the caller goes first. A race against one promise for the whole of a call
   * would keep each message of a stream until its end.
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
  #stopping = false;

  constructor(log: Log, meter: CallMeter) {
    this.#log = log;
    this.#meter = meter;
  }

  /** From now on calls are refused; those under way go on. */
  stop(): void {
    this.#stopping = true;
  }

  /** @throws CallFailure */
  async run<T>(name: string, caller: Caller, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const measured = this.#measure(name, caller);
    try {
      const bounds = this.#begin(caller);
      try {
        const answer = await bounds.within(work(bounds.signal));
        measured(Code.OK);
        return answer;
      } finally {
        this.#end(bounds);
      }
    } catch (error) {
      const failure = this.#failure(error, name);
      measured(failure.status.code);
      throw failure;
    }
  }

  /** Passes on what the work yields, for as long as the caller wants more. @throws CallFailure */
  async *stream<T>(
    name: string,
    caller: Caller,
    work: (signal: AbortSignal) => AsyncIterable<T>,
  ): AsyncGenerator<T, void, undefined> {
    const measured = this.#measure(name, caller);
    // Of a caller that wants no more before the end.
    let code: number = Code.CANCELLED;
    try {
      yield* this.#passOn(caller, work);
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
    caller: Caller,
    work: (signal: AbortSignal) => AsyncIterable<T>,
  ): AsyncGenerator<T, void, undefined> {
    const bounds = this.#begin(caller);
    const answers = work(bounds.signal)[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await bounds.within(answers.next());
        if (next.done) return;
        yield next.value;
      }
    } finally {
      this.#end(bounds);
      // Not awaited: work that heeds no signal would hold back the end.
      void answers.return?.()?.catch(() => {});
    }
  }

  /** Begins to time a call; what it returns is told the code that it was answered with. */
  #measure(method: string, { system }: Caller): (code: number) => void {
    const start = performance.now();
    return (code) => {
      const seconds = (performance.now() - start) / 1_000;
      this.#meter.ended({ system, method, code: codeName(code) }, seconds);
    };
  }

  #begin(caller: Caller): Bounds {
    if (this.#stopping) throw new ApiError('SHUTTING_DOWN', 'this replica is shutting down; try another');
    if (this.#count >= MAX_CALLS)
      throw new ApiError('OVERLOADED', `more than ${MAX_CALLS} calls are under way here; try again`);
    const bounds = new Bounds(caller);
    this.#count++;
    return bounds;
  }

  #end(bounds: Bounds): void {
    this.#count--;
    bounds.end();
  }

  #failure(error: unknown, name: string): CallFailure {
    const status = statusOf(error);
    const { fault } = status;
    if (fault)
      this.#log.error(
        { rpc: name, errorId: fault.id, error: (fault.error as Error)?.stack ?? String(fault.error) },
        'a call failed for a reason of our own',
      );
    return new CallFailure(status);
  }
}
