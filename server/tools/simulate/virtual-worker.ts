/** A worker of the scenario: grants its free slots, and runs each attempt for as long as the arrival says. */
import type { Failure } from '../../domain/base/payload.ts';
import type { Assignment, CancelNotice } from '../../engine/base/messages.ts';
import { CREDIT_LIFE_MS } from '../../engine/dispatch/unspent-credits.ts';
import type { Replica } from '../../engine/replica.ts';
import type { Outcome, Report } from '../../engine/sessions/reports.ts';
import type { LocalBus, Subscriber } from './local-bus.ts';
import type { RecordedAttempt, RecordedJob, Recorder } from './recorder.ts';
import type { WorkerOffer } from './scenario.ts';
import type { ScheduledEvent, World } from './world.ts';

export interface WorkerParts {
  readonly world: World;
  readonly replica: Replica;
  readonly bus: LocalBus;
  readonly recorder: Recorder;
  /** Its index among the workers. */
  readonly index: number;
  readonly offer: WorkerOffer & { readonly handlers: readonly string[] };
  /** Called for a failed call, which must not happen. */
  readonly onFault: (error: unknown) => void;
}

interface Run {
  readonly attempt: RecordedAttempt | undefined;
  readonly endMs: number;
  readonly event: ScheduledEvent;
}

/** Credits are granted again before they expire. */
const RENEW_MS = CREDIT_LIFE_MS / 2;
const nothing = { data: new Uint8Array(), contentType: '' };
const timedOut = failureOf('RunTimeout', 'TIMEOUT', 'the handler did not return within its run timeout');

export class VirtualWorker implements Subscriber {
  readonly #parts: WorkerParts;
  readonly #running = new Map<string, Run>();
  /** Unused slots of credits, by credit. */
  readonly #granted = new Map<number, number>();
  #session = '';
  #lastCredit = 0;
  #reports: Report[] = [];

  constructor(parts: WorkerParts) {
    this.#parts = parts;
  }

  async open(): Promise<void> {
    const { replica, bus, offer } = this.#parts;
    const { session } = await replica.sessions.open({
      namespace: 'default',
      workerName: offer.name,
      slots: offer.slots,
      handlers: offer.handlers.map((name) => ({ name, minVersion: 0, maxVersion: 0 })),
      labels: offer.labels,
      resources: offer.resources,
      sdk: { name: 'simulated', version: '', language: '' },
    });
    this.#session = session.sessionId;
    bus.subscribe(this.#session, this);
    await this.#beat(0);
  }

  /** When the next of its attempts ends; infinite: it runs none. */
  get nextEndMs(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { endMs } of this.#running.values()) next = Math.min(next, endMs);
    return next;
  }

  /** A session counts as reachable once it has echoed a ping. Its lease is longer than any simulation. */
  pinged(counter: number): void {
    if (counter === 1) this.#beat(counter).then(() => this.#renew(), this.#parts.onFault);
  }

  assigned(assignments: readonly Assignment[]): void {
    for (const assignment of assignments) void this.#take(assignment);
  }

  cancelled(notices: readonly CancelNotice[]): void {
    for (const { jobId, attempt } of notices) this.#end(jobId, attempt, { kind: 'cancelled' });
  }

  async #beat(pingEcho: number): Promise<void> {
    const nothingNew = { held: [], credits: [], voidedCreditIds: [], progress: [], logs: [], draining: false };
    await this.#parts.replica.sessions.beat({ sessionId: this.#session, pingEcho, ...nothingNew });
  }

  async #take(assignment: Assignment): Promise<void> {
    const { recorder } = this.#parts;
    const { jobId, creditId } = assignment;
    const left = (this.#granted.get(creditId) ?? 0) - 1;
    if (left > 0) this.#granted.set(creditId, left);
    else this.#granted.delete(creditId);
    if (!recorder.find(jobId)) await recorder.answered();
    // A credit that was granted again while a claim used it counts twice.
    if (this.#running.size < this.#parts.offer.slots) this.#start(assignment, recorder.find(jobId));
    else this.#report({ jobId, attempt: assignment.attempt, outcome: { kind: 'released', why: 'NO_SLOT' } });
  }

  /** @param job Undefined: a clean-up of another job, which takes no time here. */
  #start({ jobId, attempt, runTimeoutMs, attemptCount }: Assignment, job: RecordedJob | undefined): void {
    const { world, recorder, index } = this.#parts;
    const { runMs = 0, failures = 0, failureType = '' } = job?.arrival ?? {};
    const ms = Math.min(runMs, runTimeoutMs);
    const outcome: Outcome =
      runMs > runTimeoutMs
        ? { kind: 'failed', failure: timedOut }
        : attemptCount < failures
          ? { kind: 'failed', failure: failureOf(failureType, 'APPLICATION', 'as the arrival says') }
          : { kind: 'succeeded', result: nothing };
    this.#running.set(keyOf(jobId, attempt), {
      attempt: job && recorder.started(job, index),
      endMs: world.now + ms,
      event: world.after(ms, () => this.#end(jobId, attempt, outcome)),
    });
  }

  #end(jobId: string, attempt: number, outcome: Outcome): void {
    const run = this.#running.get(keyOf(jobId, attempt));
    if (!run) return;
    run.event.cancel();
    this.#running.delete(keyOf(jobId, attempt));
    if (run.attempt) this.#parts.recorder.stopped(run.attempt);
    this.#report({ jobId, attempt, outcome });
  }

  /** Attempts that end at the same moment are reported together. */
  #report(report: Report): void {
    if (this.#reports.length === 0) this.#parts.world.after(0, () => this.#flush());
    this.#reports.push(report);
  }

  #flush(): void {
    const { replica, onFault } = this.#parts;
    const reports = this.#reports.splice(0);
    this.#grant([]);
    replica.reports.report(this.#session, reports).catch(onFault);
  }

  /** Each credit expires some time after it was granted. */
  #renew(): void {
    const ids = [...this.#granted.keys()];
    this.#granted.clear();
    this.#grant(ids);
    this.#parts.world.after(RENEW_MS, () => this.#renew());
  }

  /** Grants the free slots that are not granted yet, and voids the named credits. */
  #grant(voided: readonly number[]): void {
    const granted = [...this.#granted.values()].reduce((sum, slots) => sum + slots, 0);
    const slots = this.#parts.offer.slots - this.#running.size - granted;
    if (slots > 0) this.#granted.set(++this.#lastCredit, slots);
    const credits = slots > 0 ? [{ creditId: this.#lastCredit, slots, prefetch: 0 }] : [];
    const { replica, onFault } = this.#parts;
    replica.sessions.grant(this.#session, credits, voided).catch(onFault);
  }
}

function keyOf(jobId: string, attempt: number): string {
  return `${jobId}/${attempt}`;
}

function failureOf(type: string, failureCause: Failure['failureCause'], message: string): Failure {
  return { type, message, stackTrace: '', failureCause, nonRetryable: false };
}
