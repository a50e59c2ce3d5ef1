/** The life of each attempt of a session, from its arrival to the creation of its report. */

import { durationToMs } from '../../../duration.ts';
import type { Progress } from '../../../gen/muster/v1/job_pb.ts';
import type { Payload } from '../../../gen/muster/v1/payload_pb.ts';
import type { Assignment } from '../../../gen/muster/worker/v1/assignment_pb.ts';
import { ReleaseReason } from '../../../gen/muster/worker/v1/attempt_report_pb.ts';
import { type AttemptKey, attemptKey } from '../base/attempt-key.ts';
import { DEFAULT_RUN_TIMEOUT, MAX_HELD, PREFETCH_WAIT, RUN_TIMEOUT_GRACE } from '../base/limits.ts';
import type { CorePorts, HandlerOutcome, StopReason } from '../base/ports.ts';
import type { CoreStats } from '../base/stats.ts';
import type { LogLine } from '../sessions/log-tail.ts';
import { aborted, failed, type Outcome, released, runTimeoutFailure, verdictOn } from '../sessions/outcome.ts';
import type { Updates } from '../sessions/updates.ts';
import { judge } from './acceptance.ts';
import type { Cancels } from './cancels.ts';
import type { Credits } from './credits.ts';
import type { Execution, Held, HeldList } from './held.ts';
import type { SlotTable } from './slot-table.ts';

/** The parts of the session that `Attempts` uses. */
export interface AttemptsContext {
  readonly ports: CorePorts;
  readonly slotTable: SlotTable;
  readonly held: HeldList;
  readonly credits: Credits;
  readonly cancels: Cancels;
  readonly updates: Updates;
  readonly stats: CoreStats;
  readonly maxPayload: number;
  fenced(now: number): boolean;
  draining(): boolean;
  supports(handler: string, version: number): boolean;
  /** Queues the report that closes the attempt. */
  report(held: Held, outcome: Outcome): void;
  /** Asks for a call of `watch` no later than `at`. */
  dueBy(at: number): void;
}

export class Attempts {
  readonly #context: AttemptsContext;

  constructor(context: AttemptsContext) {
    this.#context = context;
  }

  /** Slot assignments go first: a prefetched attempt can wait, and must not take the slot of another assignment. */
  admitAll(assignments: readonly Assignment[], now: number): void {
    for (const assignment of assignments) if (!assignment.prefetch) this.#admit(assignment, now);
    for (const assignment of assignments) if (assignment.prefetch) this.#admit(assignment, now);
  }

  #admit(assignment: Assignment, now: number): void {
    const { credits, cancels, held, slotTable, stats } = this.#context;
    const key = attemptKey(assignment.jobId, assignment.attempt);
    const credit = credits.live(Number(assignment.creditId), now);
    const known = held.get(key) !== undefined;
    const seen = credit?.seen?.has(key) === true;
    const verdict = judge({
      held: known,
      seen,
      fenced: this.#context.fenced(now),
      full: held.size >= MAX_HELD,
      cancelled: cancels.has(key, now),
      draining: this.#context.draining(),
      supported: this.#context.supports(assignment.handler, assignment.definitionVersion),
      creditUnspent: credit !== undefined && (assignment.prefetch ? credit.prefetch : credit.slots) > 0,
      slotFree: assignment.prefetch || slotTable.free > 0,
    });
    if (verdict.kind === 'ignore') {
      if (known || seen) stats.duplicates++;
      else stats.ignored++;
      return;
    }
    // The server has spent the permit, whatever happens to the attempt here.
    if (credit) credits.spend(credit, key, assignment.prefetch);
    const entry = held.add(key, assignment);
    if (verdict.kind === 'release') this.#release(entry, verdict.reason);
    else this.#accept(entry, assignment, now);
  }

  #accept(entry: Held, assignment: Assignment, now: number): void {
    const { held, slotTable, stats, dueBy } = this.#context;
    stats.accepted++;
    if (slotTable.free > 0) {
      this.#start(entry, assignment, now);
    } else {
      held.wait(entry, assignment, now + PREFETCH_WAIT);
      dueBy(entry.expireAt);
    }
  }

  #start(entry: Held, assignment: Assignment, now: number): void {
    const { slotTable, ports, dueBy } = this.#context;
    const timeoutAt = now + durationToMs(assignment.runTimeout, DEFAULT_RUN_TIMEOUT);
    const execution = slotTable.take(entry, timeoutAt);
    entry.phase = 'running';
    entry.execution = execution;
    dueBy(timeoutAt);
    ports.runner.start(execution.slot, assignment);
  }

  /** Starts waiting attempts while slots are free. */
  startWaiting(now: number): void {
    const { held, slotTable } = this.#context;
    while (slotTable.free > 0 && !this.#context.fenced(now)) {
      const entry = held.first();
      if (entry === undefined) return;
      const assignment = held.leaveLine(entry);
      if (assignment === undefined || now >= entry.expireAt) this.#release(entry, ReleaseReason.NOT_STARTED);
      else this.#start(entry, assignment, now);
    }
  }

  cancel(jobId: Uint8Array, attempt: number, now: number): void {
    const key: AttemptKey = attemptKey(jobId, attempt);
    const entry = this.#context.held.get(key);
    if (entry === undefined) this.#context.cancels.remember(key, now);
    else if (entry.phase !== 'closing' && !this.#giveBack(entry, ReleaseReason.CANCELLED))
      this.#signal(entry, 'cancelled');
  }

  /** Repeated by each heartbeat, so a request that overtakes its assignment is dropped. */
  suspend(jobId: Uint8Array, attempt: number): void {
    const entry = this.#context.held.get(attemptKey(jobId, attempt));
    if (entry === undefined || entry.phase === 'closing') return;
    if (!this.#giveBack(entry, ReleaseReason.SUSPENDED)) this.#signal(entry, 'suspended');
  }

  /** The handler returned. Reports its outcome, unless its attempt was already given up. */
  ended(execution: Execution, outcome: HandlerOutcome): void {
    const entry = execution.held;
    if (entry === undefined) return;
    this.#close(execution, verdictOn(execution.stopped, outcome, this.#context.maxPayload));
  }

  /** False when the attempt was given up. */
  progress({ held }: Execution, progress: Progress): boolean {
    if (held) this.#context.updates.progress(held, progress);
    return held !== undefined;
  }

  checkpoint({ held }: Execution, checkpoint: Payload): boolean {
    if (held) this.#context.updates.checkpoint(held, checkpoint);
    return held !== undefined;
  }

  /** False when the attempt was given up. */
  log({ held }: Execution, lines: readonly LogLine[]): boolean {
    if (held) this.#context.updates.log(held, lines);
    return held !== undefined;
  }

  /** False when the call comes too late. The alarm still rings at the old time and finds nothing due. */
  extendRunTimeout(execution: Execution, extensionMs: number): boolean {
    const { held, stopped } = execution;
    if (held === undefined || stopped === 'run_timeout' || extensionMs <= execution.extensionMs) return false;
    execution.timeoutAt += extensionMs - execution.extensionMs;
    execution.extensionMs = extensionMs;
    this.#context.updates.extendRunTimeout(held, extensionMs);
    return true;
  }

  /** Releases every attempt whose handler was not entered. */
  giveBackUnstarted(reason: ReleaseReason): void {
    for (const entry of this.#context.held) if (entry.phase !== 'closing') this.#giveBack(entry, reason);
  }

  /** The fence fell: attempts that may not continue without a lease are stopped and reported as aborted. */
  abort(): void {
    this.giveBackUnstarted(ReleaseReason.NOT_STARTED);
    const { slotTable, ports, stats } = this.#context;
    for (const execution of slotTable) {
      if (execution.held === undefined || execution.held.continues) continue;
      ports.runner.stop(execution.slot, 'lease_lost');
      execution.stopped = 'lease_lost';
      stats.aborted++;
      this.#close(execution, aborted());
    }
  }

  /** The session is over: handlers are signalled, and their results are dropped. */
  drop(reason: StopReason): void {
    const { slotTable, ports } = this.#context;
    for (const execution of slotTable) {
      if (execution.held === undefined) continue;
      execution.held = undefined;
      execution.stopped = reason;
      if (ports.runner.withdraw(execution.slot)) slotTable.release(execution.slot);
      else ports.runner.stop(execution.slot, reason);
    }
  }

  /** Handles everything that is due by `now`, and requests the next call. */
  watch(now: number): void {
    const { held, slotTable, dueBy } = this.#context;
    for (let entry = held.first(); entry !== undefined; entry = held.first()) {
      if (now < entry.expireAt) {
        dueBy(entry.expireAt);
        break;
      }
      this.#giveBack(entry, ReleaseReason.NOT_STARTED);
    }
    for (const execution of slotTable)
      if (execution.held !== undefined) this.#watchTimeout(execution, execution.held, now);
  }

  #watchTimeout(execution: Execution, entry: Held, now: number): void {
    const { stats, dueBy } = this.#context;
    if (execution.stopped === undefined && now >= execution.timeoutAt) {
      if (this.#giveBack(entry, ReleaseReason.NOT_STARTED)) return;
      stats.timeouts++;
      this.#signal(entry, 'run_timeout');
      execution.graceAt = now + RUN_TIMEOUT_GRACE;
    }
    if (now >= execution.graceAt) this.#close(execution, failed(runTimeoutFailure()));
    else if (execution.stopped === undefined) dueBy(execution.timeoutAt);
    else dueBy(execution.graceAt);
  }

  #signal(entry: Held, reason: StopReason): void {
    const { execution } = entry;
    if (execution === undefined || execution.stopped !== undefined) return;
    execution.stopped = reason;
    if (reason === 'cancelled') this.#context.stats.cancels++;
    this.#context.ports.runner.stop(execution.slot, reason);
  }

  /** Releases an attempt if its handler was not entered. False: it was. */
  #giveBack(entry: Held, reason: ReleaseReason): boolean {
    const { held, slotTable, ports } = this.#context;
    const { execution } = entry;
    if (execution !== undefined) {
      if (!ports.runner.withdraw(execution.slot)) return false;
      slotTable.release(execution.slot);
    } else if (entry.phase === 'waiting') {
      held.leaveLine(entry);
    }
    this.#release(entry, reason);
    return true;
  }

  #release(entry: Held, reason: ReleaseReason): void {
    this.#context.stats.released++;
    this.#finish(entry, released(reason));
  }

  /** Reports the attempt of a started handler. Its slot stays taken until the handler returns. */
  #close(execution: Execution, outcome: Outcome): void {
    const entry = execution.held;
    if (entry === undefined) return;
    execution.held = undefined;
    entry.started = true;
    this.#finish(entry, outcome);
  }

  #finish(entry: Held, outcome: Outcome): void {
    entry.phase = 'closing';
    entry.execution = undefined;
    this.#context.report(entry, outcome);
  }
}
