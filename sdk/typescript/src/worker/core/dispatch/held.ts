/** The attempts that the session holds: accepted or being released, until their report is acknowledged. */

import { LeaseLossAction } from '../../../gen/muster/v1/job_definition_pb.ts';
import type { Progress } from '../../../gen/muster/v1/job_pb.ts';
import type { Payload } from '../../../gen/muster/v1/payload_pb.ts';
import type { Assignment } from '../../../gen/muster/worker/v1/assignment_pb.ts';
import type { HeldAttempt } from '../../../gen/muster/worker/v1/session_pb.ts';
import type { AttemptKey } from '../base/attempt-key.ts';
import { Fifo } from '../base/fifo.ts';
import type { StopReason } from '../base/ports.ts';
import type { LogTail } from '../sessions/log-tail.ts';

/**
 * `waiting` for a slot → `running` → `closing`: its report is on the way. A release goes to `closing` at once. The
 * entry is deleted when the server has acknowledged the report.
 */
export type HeldPhase = 'waiting' | 'running' | 'closing';

export interface Held {
  readonly key: AttemptKey;
  readonly jobId: Uint8Array;
  readonly attempt: number;
  /** Its handler continues when the lease can't be proved. */
  readonly continues: boolean;
  phase: HeldPhase;
  /** The assignment, while it waits for a slot. */
  assignment: Assignment | undefined;
  /** When it has waited too long for a slot. */
  expireAt: number;
  /** The execution, while its handler runs. */
  execution: Execution | undefined;
  /** Whether a handler was entered; set when the attempt closes. */
  started: boolean;
  /** Progress, checkpoint and run timeout extension of its handler. */
  update: AttemptUpdate | undefined;
  /** Log records that no acknowledged heartbeat has carried. */
  logs: LogTail | undefined;
}

export class HeldList {
  readonly #byKey = new Map<AttemptKey, Held>();
  readonly #line = new Fifo<Held>();
  #waiting = 0;

  get size(): number {
    return this.#byKey.size;
  }

  /** Number of attempts that wait for a slot. */
  get waiting(): number {
    return this.#waiting;
  }

  get(key: AttemptKey): Held | undefined {
    return this.#byKey.get(key);
  }

  add(key: AttemptKey, assignment: Assignment): Held {
    const held: Held = {
      key,
      // A copy: the received bytes are a view that would keep a whole message in memory as long as the attempt.
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

  /** Ends the wait of an attempt, which is then started or released. */
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

  /** The held attempts of a heartbeat. */
  list(hasStarted: (slot: number) => boolean): HeldAttempt[] {
    return Array.from(this.#byKey.values(), ({ jobId, attempt, execution, started }) => ({
      $typeName: 'muster.worker.v1.HeldAttempt' as const,
      jobId,
      attempt,
      started: execution ? hasStarted(execution.slot) : started,
    }));
  }
}

/** A handler that has received its attempt and has not returned. */
export interface Execution {
  readonly slot: number;
  /** When its run timeout ends. */
  timeoutAt: number;
  /** The part of it that the handler requested beyond its run timeout, in milliseconds. */
  extensionMs: number;
  /** After the run timeout's signal: when it is reported even if the handler has not returned. */
  graceAt: number;
  stopped: StopReason | undefined;
  /** The attempt that it works for. Unset once the attempt is given up: the handler's outcome is then dropped. */
  held: Held | undefined;
}

/** The newest update of one attempt. Each change raises the sequence, so a late heartbeat overwrites nothing newer. */
export interface AttemptUpdate {
  sequence: number;
  /** The newest sequence that an answered heartbeat has carried. */
  delivered: number;
  progress: Progress | undefined;
  /** Unset once an answered heartbeat has carried it. */
  checkpoint: Payload | undefined;
  /** Sum of the extensions of the run timeout, in milliseconds; 0: none. */
  extensionMs: number;
}
