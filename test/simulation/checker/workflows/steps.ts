/**
 * Transitions that no worker makes: requested by an operator, or at a due time; never too early, and in calm weather
 * never late.
 */
import { stateCodes } from '../../../../server/domain/jobs/job-state.ts';
import { MAX_OUTAGE_LEASES } from '../../core/conditions.ts';
import {
  CANCEL_GRACE_MS,
  PROGRESS_TIMEOUT_MS,
  RUN_TIMEOUT_MS,
  TOTAL_TIMEOUT_MS,
  WATCHDOG,
} from '../../scenario/definitions.ts';
import { hasNoWorker } from '../../scenario/flows.ts';
import { clockErrorUs, type Evidence, names, type Ordered } from '../base/events.ts';
import { lateness } from '../base/promptness.ts';
import { Requests } from '../base/requests.ts';

const { BLOCKED, SCHEDULED, READY, PAUSED, RUNNING, WAITING, CANCELLING, CANCELLED, EXPIRED, FAILED } = stateCodes;
const held: readonly number[] = [stateCodes.ASSIGNED, RUNNING, CANCELLING];
/** States in which a job stays until its worker reports, an operator acts or a time has come. */
const untilScanned: readonly number[] = [READY, PAUSED, RUNNING];
const CLOCK_ERROR_MS = 1_000;

/** Times of a job, in µs on the database's clock. */
interface Times {
  running: number;
  lastWord: number;
  /** Time beyond its run timeout that the open attempt requested, as far as the server knows, in ms. */
  extensionMs: number;
  cancelling: number | undefined;
  /** The time by which it must have ended. */
  deadline: number | undefined;
}

export class StepChecks {
  readonly requests: Requests;
  readonly #evidence: Evidence;
  readonly #times = new Map<string, Times>();
  readonly #paused = new Set<string>();

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
    this.requests = new Requests(evidence);
  }

  /** Returns true if an operator changed the run time of the job. */
  changed(row: Ordered): boolean {
    return this.requests.underWay(row, 'updateJob');
  }

  /**
   * The time runs from the run time of the job, which a replica takes from its own estimate of the database's clock. It
   * may then wait for a database that is down.
   */
  created(row: Ordered): void {
    const facts = this.#evidence.facts.get(row.id);
    if (facts?.definition !== 'hasty' || facts.cleanupOf !== undefined) return;
    const deadline = row.nextDue ?? 0;
    this.#timesOf(row.id).deadline = deadline;
    const { leaseMs, profile } = this.#evidence;
    const errorMs = profile.faults.slowMs + CLOCK_ERROR_MS;
    const leftMs = (deadline - facts.startUs) / 1000;
    const minMs = Math.min(0, TOTAL_TIMEOUT_MS - MAX_OUTAGE_LEASES * leaseMs - errorMs);
    if (leftMs <= minMs || leftMs > TOTAL_TIMEOUT_MS + errorMs)
      this.#violate(row, 'deadlines', `has ${leftMs} ms, not ${TOTAL_TIMEOUT_MS}`);
  }

  moved(row: Ordered): void {
    const { from, to } = row;
    const times = this.#timesOf(row.id);
    this.#scannedInTime(row, times.deadline);
    if (to === PAUSED) this.#paused.add(row.id);
    else this.#paused.delete(row.id);
    if (to === RUNNING) times.running = times.lastWord = row.at;
    if (to === stateCodes.ASSIGNED) times.extensionMs = 0;
    if (to === CANCELLING) times.cancelling = row.at;
    if (held.includes(from ?? 0)) {
      if (to === CANCELLING && !this.requests.cancelled(row))
        this.#violate(row, 'I13 cancel', 'was cancelled without a request');
      return;
    }
    const step = `${names[from ?? 0]} → ${names[to ?? 0]}`;
    if (to === PAUSED) {
      if (!this.#follows(row, true)) this.#asked(row, step, 'pauseJob');
    } else if (to === CANCELLING) {
      if (!this.requests.cancelled(row)) this.#violate(row, 'I13 cancel', 'was cancelled without a request');
    } else if (from === PAUSED) {
      if (!this.#follows(row, false) && !this.#isLate(row)) this.#asked(row, step, 'resumeJob');
    } else if (from === READY && to === SCHEDULED) this.#asked(row, step, 'updateJob');
    else if (to === BLOCKED) this.#asked(row, step, 'addDependencies');
    else if (from === SCHEDULED && to === READY) this.#promoted(row, step);
  }

  /** A job of a workflow or a batch is paused while that is, and resumed when it no longer is. */
  #follows({ id }: Ordered, paused: boolean): boolean {
    const parent = this.#evidence.facts.get(id)?.parent;
    if (parent === undefined || this.#paused.has(parent) !== paused) return false;
    this.#evidence.history.count(`pause: a job was ${paused ? 'paused' : 'resumed'} with its workflow or batch`);
    return true;
  }

  /** A paused workflow whose total timeout has passed continues, in order to stop. */
  #isLate({ to, until, at, nextDue }: Ordered): boolean {
    return to === WAITING && nextDue === null && until !== null && until <= at + clockErrorUs(this.#evidence);
  }

  /** A limit that no scan finds in time was forgotten. */
  #scannedInTime(row: Ordered, deadline: number | undefined): void {
    if (deadline === undefined || !untilScanned.includes(row.to ?? 0)) return;
    if ((row.nextDue ?? Number.POSITIVE_INFINITY) > deadline)
      this.#violate(row, 'deadlines', `went to ${names[row.to ?? 0]}, and is not looked at at its total timeout`);
  }

  spoke(row: Ordered): void {
    const times = this.#timesOf(row.id);
    times.lastWord = row.at;
    if ((row.counted ?? 0) < times.extensionMs)
      this.#violate(row, 'deadlines', `was extended by ${times.extensionMs} ms, and then by ${row.counted}`);
    times.extensionMs = row.counted ?? 0;
  }

  /** An attempt was closed, by a failure or a loss, and the job continues; or it ended with it. */
  failed(row: Ordered): void {
    const { type, message } = JSON.parse(row.text ?? '{}') as { type?: string; message?: string };
    const times = this.#timesOf(row.id);
    if (message?.startsWith('the attempt ran'))
      this.#notBefore(row, 'run timeout', times.running + (RUN_TIMEOUT_MS + times.extensionMs) * 1000);
    if (type === 'ProgressTimeout')
      this.#notBefore(row, 'progress timeout', times.lastWord + PROGRESS_TIMEOUT_MS * 1000);
    if (type === 'ProgressTooSlow') this.#notBefore(row, 'watchdog', times.running + WATCHDOG.windowMs * 1000);
  }

  /** A waiting job of `edited` is replaced by the next one: `matching.ts` has the period. */
  #isReplaced(row: Ordered): boolean {
    return this.#evidence.facts.get(row.id)?.definition === 'edited';
  }

  ended(row: Ordered, from: number): void {
    const waits = !held.includes(from);
    const times = this.#timesOf(row.id);
    const { history } = this.#evidence;
    if (row.to === CANCELLED && waits && !this.requests.cancelled(row) && !this.#isReplaced(row))
      this.#violate(row, 'I13 cancel', 'was cancelled without a request');
    if (row.to === EXPIRED) history.count(`expired: ${this.#evidence.facts.get(row.id)?.definition}`);
    // The cancel of a workflow or a batch takes as long as its open jobs.
    const isTimed = !hasNoWorker(this.#evidence.facts.get(row.id)?.definition);
    if (times.cancelling !== undefined && isTimed) this.#kept(row, 'grace', times.cancelling + CANCEL_GRACE_MS * 1000);
    if (row.to === FAILED) this.failed(row);
    this.#total(row, from);
  }

  /** Whether somebody ended it while it was PAUSED; nothing but its total timeout may end it FAILED otherwise. */
  isGivenUp(row: Ordered, from: number): boolean {
    const isLate = row.text?.includes('"it did not end within its total timeout"');
    if (row.to !== FAILED || from !== PAUSED || isLate) return false;
    this.#asked(row, 'PAUSED → FAILED', 'failJob');
    return true;
  }

  #total(row: Ordered, from: number): void {
    const { deadline } = this.#timesOf(row.id);
    if (deadline === undefined) return;
    if (from !== CANCELLING) this.#kept(row, 'total timeout', deadline);
    if (row.to !== FAILED || !row.text?.includes('"it did not end within its total timeout"')) return;
    this.#evidence.history.count(`total timeout: ${held.includes(from) ? 'an attempt' : 'a wait'}`);
    const early = deadline - row.at - clockErrorUs(this.#evidence);
    if (early > 0) this.#violate(row, 'deadlines', `met its total timeout ${early / 1000} ms too early`);
  }

  #promoted(row: Ordered, step: string): void {
    if (row.until !== null && row.until <= row.at + clockErrorUs(this.#evidence))
      this.#evidence.history.count('promoted');
    else this.#asked(row, step, 'updateJob');
  }

  #asked(row: Ordered, step: string, method: string): void {
    if (this.requests.underWay(row, method)) this.#evidence.history.count(`${method}: ${step}`);
    else this.#violate(row, 'I3 legal path', `went ${step} without a request`);
  }

  #notBefore(row: Ordered, what: string, time: number): void {
    this.#evidence.history.count(`${what} of an attempt`);
    if (row.at + clockErrorUs(this.#evidence) < time)
      this.#violate(row, 'deadlines', `met its ${what} ${(time - row.at) / 1000} ms too early`);
  }

  #kept(row: Ordered, what: string, time: number): void {
    const { profile, history } = this.#evidence;
    if (profile.name === 'calm') history.count(`${what} in calm weather`);
    const late = lateness(profile, row, time);
    if (late > 0) this.#violate(row, 'deadlines', `ended ${late / 1000} ms too late after the end of its ${what}`);
  }

  #timesOf(job: string): Times {
    const times = this.#times.get(job) ?? {
      ...{ running: 0, lastWord: 0, extensionMs: 0 },
      ...{ cancelling: undefined, deadline: undefined },
    };
    this.#times.set(job, times);
    return times;
  }

  #violate(row: Ordered, invariant: string, what: string): void {
    this.#evidence.history.violate(invariant, `job ${row.id} ${what} (journal ${row.n}, order ${row.order})`);
  }
}
