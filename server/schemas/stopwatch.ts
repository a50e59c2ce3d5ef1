/**
 * Shared memory in which the schema thread notes its current work and the start time, so that the main thread can
 * detect a stuck thread.
 */

/** Maximum time of each phase in ms. Compiling happens once per schema and thread. */
const LIMITS_MS = { compile: 1_000, validate: 50 } as const;
const phases = ['idle', 'compile', 'validate'] as const;

type Phase = keyof typeof LIMITS_MS;

export interface At {
  readonly phase: Phase;
  /** Index in the message of the item that the thread works on. */
  readonly index: number;
}

export const VALIDATE_LIMIT_MS = LIMITS_MS.validate;
export const COMPILE_LIMIT_MS = LIMITS_MS.compile;

export class Stopwatch {
  readonly memory: SharedArrayBuffer;
  readonly #now: Int32Array;
  readonly #since: BigInt64Array;

  constructor(memory = new SharedArrayBuffer(16)) {
    this.memory = memory;
    this.#now = new Int32Array(memory, 0, 2);
    this.#since = new BigInt64Array(memory, 8, 1);
  }

  start(phase: Phase, index: number): void {
    Atomics.store(this.#since, 0, process.hrtime.bigint());
    Atomics.store(this.#now, 1, index);
    Atomics.store(this.#now, 0, phases.indexOf(phase));
  }

  stop(): void {
    Atomics.store(this.#now, 0, 0);
  }

  /** The thread's current work; undefined: nothing that is timed. */
  at(): At | undefined {
    const phase = phases[Atomics.load(this.#now, 0)];
    return phase === 'compile' || phase === 'validate' ? { phase, index: Atomics.load(this.#now, 1) } : undefined;
  }

  /** As `at`, if that has exceeded its limit. All threads share the clock. */
  overdue(): At | undefined {
    const at = this.at();
    const ms = Number(process.hrtime.bigint() - Atomics.load(this.#since, 0)) / 1e6;
    return at && ms > LIMITS_MS[at.phase] ? at : undefined;
  }
}
