/** The attempts that the session holds: accepted or being given back, until their report is acknowledged. */
import type { Assignment } from '../../gen/muster/v1/assignment_pb.ts';
import { LeaseLossAction } from '../../gen/muster/v1/job_definition_pb.ts';
import type { Progress } from '../../gen/muster/v1/job_pb.ts';
import type { Payload } from '../../gen/muster/v1/payload_pb.ts';
import type { HeldAttempt } from '../../gen/muster/v1/session_service_pb.ts';
import type { AttemptKey } from './attempt-key.ts';
import { Fifo } from './fifo.ts';
import type { LogTail } from './log-tail.ts';
import type { StopReason } from './ports.ts';

/**
 * `waiting` for a place → `running` → `closing`: its report is on the way. A release goes to `closing` at once; the
 * entry goes when the server has acknowledged the report.
 */
export type HeldPhase = 'waiting' | 'running' | 'closing';

export interface Held {
  readonly key: AttemptKey;
  readonly jobId: Uint8Array;
  readonly attempt: number;
  /** Its handler goes on when the lease can't be proved. */
  readonly continues: boolean;
  phase: HeldPhase;
  /** What is to be run, while it waits. */
  assignment: Assignment | undefined;
  /** When it has waited too long. */
  expireAt: number;
  /** Its handler, while it runs. */
  execution: Execution | undefined;
  /** Whether a handler was entered, once that is over. */
  started: boolean;
  /** What its handler said of itself. */
  update: AttemptUpdate | undefined;
  /** What its handler has logged and no acknowledged heartbeat has carried. */
  logs: LogTail | undefined;
}

export class HeldList {
  readonly #byKey = new Map<AttemptKey, Held>();
  readonly #line = new Fifo<Held>();
  #waiting = 0;

  get size(): number {
    return this.#byKey.size;
  }

  /** Attempts that wait for a place. */
  get waiting(): number {
    return this.#waiting;
  }

  get(key: AttemptKey): Held | undefined {
    return this.#byKey.get(key);
  }

  add(key: AttemptKey, assignment: Assignment): Held {
    const held: Held = {
      key,
      // A copy: the bytes that came are a view of a whole message, which would stay in memory as long as the attempt.
      jobId: assignment.jobId.slice(),
      attempt: assignment.attempt,
      continues: assignment.leaseLossAction === LeaseLossAction.CONTINUE,
      phase: 'closing',
      assignment: undefined,
      expireAt: Number.POSITIVE_INFINITY,
      execution: undefined,
      started: false,
      update: undefined,
      logs: undefined,
    };
    this.#byKey.set(key, held);
    return held;
  }

  wait(held: Held, assignment: Assignment, expireAt: number): void {
    held.phase = 'waiting';
    held.assignment = assignment;
    held.expireAt = expireAt;
    this.#line.push(held);
    this.#waiting++;
  }

  /** Ends the waiting of an attempt: it is to be started or given back. */
  leaveLine(held: Held): Assignment | undefined {
    const { assignment } = held;
    held.assignment = undefined;
    held.phase = 'closing';
    this.#waiting--;
    return assignment;
  }

  /** The attempt that has waited longest. */
  first(): Held | undefined {
    for (;;) {
      const held = this.#line.peek();
      if (held === undefined || held.phase === 'waiting') return held;
      this.#line.shift();
    }
  }

  delete(held: Held): void {
    if (this.#byKey.get(held.key) === held) this.#byKey.delete(held.key);
  }

  *[Symbol.iterator](): Generator<Held> {
    yield* this.#byKey.values();
  }

  /** What a heartbeat lists. */
  list(hasStarted: (slot: number) => boolean): HeldAttempt[] {
    return Array.from(this.#byKey.values(), ({ jobId, attempt, execution, started }) => ({
      $typeName: 'muster.v1.HeldAttempt' as const,
      jobId,
      attempt,
      started: execution ? hasStarted(execution.slot) : started,
    }));
  }
}

/** A handler that was handed its attempt and has not returned yet. */
export interface Execution {
  readonly slot: number;
  /** When its run timeout is reached. */
  timeoutAt: number;
  /** What of it the handler has asked for beyond its run timeout. */
  extensionMs: number;
  /** After the signal of the run timeout: when it is reported even though the handler has not returned. */
  graceAt: number;
  stopped: StopReason | undefined;
  /** The attempt that it works for. Unset once the attempt was given up: what the handler then returns is dropped. */
  held: Held | undefined;
}

/** The newest words of one attempt. Each change raises the sequence, so that a late heartbeat sets nothing back. */
export interface AttemptUpdate {
  sequence: number;
  /** The newest sequence that an answered heartbeat has carried. */
  delivered: number;
  progress: Progress | undefined;
  /** Unset once a heartbeat that carried it was answered. */
  checkpoint: Payload | undefined;
  /** All that the handler has asked for beyond its run timeout; 0: nothing. */
  extensionMs: number;
}
