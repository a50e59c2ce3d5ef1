/** Matches unspent credits with ready jobs: claims a batch in one statement and publishes it to the sessions. */
import { type Sampling, spanContext, traceparentOf } from '../../domain/events/trace.ts';
import { killPoint } from '../base/kill-points.ts';
import type { Assignment, LaneHint } from '../base/messages.ts';
import type { ClaimedJob, ClaimResult, Permit } from '../ports/dispatch.ts';
import type { LaneUnderLimits } from '../ports/limits.ts';
import type { Bus, Log } from '../ports/ports.ts';
import type { Store } from '../ports/store.ts';
import type { NewJob } from '../ports/submissions.ts';
import type { Capacities } from './capacities.ts';
import { nextMoment } from './exhausted.ts';
import { immediatePermits } from './immediate-permits.ts';
import type { ClaimWatch, KnownLane } from './known-lane.ts';
import { handlerOf, type Lanes } from './lanes.ts';
import type { Limits } from './limits.ts';
import { kindsFor } from './prefetch.ts';
import type { ReadyTakers } from './ready-takers.ts';
import type { CreditClass, ForLane, Kinds, UnspentCredits } from './unspent-credits.ts';

/** Max concurrent claims per kind. */
const CLAIMS_IN_FLIGHT = { suspects: 1, singleLane: 1, others: 2 } as const;
const PERMITS_PER_CLAIM = 1_000;
/** Claims start with few permits, since one for a single job must not scan for a thousand; full claims double it. */
const MIN_PERMITS = 16;
const LANES_PER_CLAIM = 4;
const BYTES_PER_CLAIM = 8 << 20;

type ClaimKind = keyof typeof CLAIMS_IN_FLIGHT;

export class Dispatcher {
  readonly #store: Pick<Store, 'claim'>;
  readonly #limits: Pick<Limits, 'limitsToClaim' | 'laneOf' | 'claimResult' | 'takesSlotsOnly'>;
  readonly #capacities: Pick<Capacities, 'claimResult'>;
  readonly #lanes: Lanes;
  readonly #credits: UnspentCredits;
  readonly #bus: Bus;
  readonly #log: Log;
  readonly #sampling: Sampling | undefined;
  readonly #takers: ReadyTakers;
  readonly #inFlight: Record<ClaimKind, number> = { suspects: 0, singleLane: 0, others: 0 };
  #stopped = false;

  constructor(parts: {
    store: Pick<Store, 'claim'>;
    limits: Pick<Limits, 'limitsToClaim' | 'laneOf' | 'claimResult' | 'takesSlotsOnly'>;
    capacities: Pick<Capacities, 'claimResult'>;
    lanes: Lanes;
    credits: UnspentCredits;
    bus: Bus;
    log: Log;
    /** The dispatcher is one of them. */
    takers: ReadyTakers;
    /** Undefined: the control plane adds no spans of its own to the jobs' traces. */
    sampling?: Sampling | undefined;
  }) {
    this.#store = parts.store;
    this.#limits = parts.limits;
    this.#capacities = parts.capacities;
    this.#lanes = parts.lanes;
    this.#credits = parts.credits;
    this.#bus = parts.bus;
    this.#log = parts.log;
    this.#sampling = parts.sampling;
    this.#takers = parts.takers;
  }

  /** Jobs became ready in these lanes, at these ranks. */
  hint(hints: readonly LaneHint[]): void {
    if (hints.every((hint) => this.#lanes.lower(hint))) this.wake();
    else
      this.#lanes.hint(hints).then(
        () => this.wake(),
        (error) => this.#log.warn({ error: String(error) }, 'lanes could not be loaded; the next scan tries again'),
      );
  }

  /** A claim may succeed now. */
  wake(): void {
    this.#takers.wake();
  }

  stop(): void {
    this.#stopped = true;
    this.#takers.stop();
  }

  /**
   * Used while the bus is down: claims for one session and returns the assignments, to be sent in a reply. Suspects are
   * claimed first: a suspect takes a slot, one per session, and the other jobs would take every slot.
   */
  async claimFor(sessionId: string, creditClass: CreditClass | undefined): Promise<Assignment[]> {
    if (!creditClass) return [];
    const takeSlot = (_: Kinds, forLane?: ForLane) => this.#credits.takeSlotOf(sessionId, forLane);
    const suspects = await this.#claimOf(creditClass, this.#suspectsFor(creditClass), takeSlot, true);
    const take = (kinds: Kinds, forLane?: ForLane) =>
      this.#credits.takeOf(sessionId, PERMITS_PER_CLAIM, kinds, forLane);
    const singleLane = await this.#claimOf(creditClass, this.#singleLaneFor(creditClass, false), take);
    const others = await this.#claimOf(creditClass, this.#lanes.readyFor(creditClass, LANES_PER_CLAIM), take);
    return [...suspects, ...singleLane, ...others].map((job) => this.assignmentOf(job));
  }

  async #claimOf(
    creditClass: CreditClass,
    lanes: readonly KnownLane[],
    take: (kinds: Kinds, forLane?: ForLane) => Permit[],
    suspects = false,
  ): Promise<readonly ClaimedJob[]> {
    const [first] = lanes;
    const permits = first ? take(this.#kindsFor(creditClass, first), this.#lanes.permitsOf(creditClass, first)) : [];
    return permits.length === 0 ? [] : this.#claim(lanes, permits, suspects);
  }

  /** Lanes of suspects that can be claimed together, else one single-lane one. */
  #suspectsFor(creditClass: CreditClass): readonly KnownLane[] {
    const lanes = this.#lanes.readyFor(creditClass, LANES_PER_CLAIM, true);
    return lanes.length > 0 ? lanes : this.#singleLaneFor(creditClass, true);
  }

  #singleLaneFor(creditClass: CreditClass, suspect: boolean): readonly KnownLane[] {
    const lane = this.#lanes.singleLaneFor(creditClass, suspect);
    return lane ? [lane] : [];
  }

  /** Permits for jobs that are about to be stored. The caller gives back unused ones. */
  permitsFor(jobs: readonly NewJob[]): PermitsForJobs {
    if (this.#stopped || !this.#bus.isUp()) return { permits: new Map() };
    const { permits, limited } = immediatePermits(this.#lanes, this.#credits, this.#limits, jobs);
    return { permits, limited: limited && this.#limits.laneOf(limited) };
  }

  giveBack(permits: readonly Permit[]): void {
    if (permits.length === 0) return;
    this.#credits.giveBack(permits);
    this.wake();
  }

  /** Starts claims for all classes with ready lanes and permits. */
  poll(): void {
    if (this.#stopped || !this.#bus.isUp()) return;
    for (const creditClass of this.#credits.classes()) {
      this.#startSuspects(creditClass, true);
      this.#startSingleLane(creditClass, true);
      while (!this.#isBusy('others') && this.#startOthers(creditClass)) {}
      this.#startSingleLane(creditClass, false);
      this.#startSuspects(creditClass, false);
    }
  }

  /** Claims suspects: one per session, slots only. `before`: only if no other lane has a lower head. */
  #startSuspects(creditClass: CreditClass, before: boolean): void {
    if (this.#isBusy('suspects')) return;
    const lanes = this.#suspectsFor(creditClass);
    const [first] = lanes;
    if (!first || (before && this.#isBehind(creditClass, first))) return;
    const forLane = this.#lanes.permitsOf(creditClass, first);
    this.#start('suspects', lanes, this.#credits.takeOneSlotEach(creditClass, PERMITS_PER_CLAIM, forLane));
  }

  /**
   * Claims jobs that only some sessions of a class may run, one lane at a time, slots only: two such claims would block
   * each other. `before`: only if no other lane has a lower head.
   */
  #startSingleLane(creditClass: CreditClass, before: boolean): void {
    if (this.#isBusy('singleLane')) return;
    const lane = this.#lanes.singleLaneFor(creditClass);
    if (!lane || (before && this.#isBehind(creditClass, lane))) return;
    const forLane = this.#lanes.permitsOf(creditClass, lane);
    this.#start('singleLane', [lane], this.#credits.take(creditClass, limitFor([lane]), 'slots', forLane));
  }

  /** Starts one claim for a class; false if it has no ready lane or no permit. */
  #startOthers(creditClass: CreditClass): boolean {
    return [true, false].some((withLimited) => {
      const lanes = this.#lanes.readyFor(creditClass, LANES_PER_CLAIM, false, withLimited);
      const [first] = lanes;
      if (!first) return false;
      const kinds = this.#kindsFor(creditClass, first);
      return this.#start('others', lanes, this.#credits.take(creditClass, limitFor(lanes), kinds));
    });
  }

  #isBusy(kind: ClaimKind): boolean {
    return this.#inFlight[kind] >= CLAIMS_IN_FLIGHT[kind];
  }

  /** Whether one of the class's other lanes, which are claimed together, has a lower head. */
  #isBehind(creditClass: CreditClass, lane: KnownLane): boolean {
    const [other] = this.#lanes.readyFor(creditClass, 1);
    return other !== undefined && (other.head as number) < (lane.head as number);
  }

  #kindsFor(creditClass: CreditClass, lane: KnownLane): Kinds {
    return kindsFor(this.#lanes, this.#limits, creditClass, lane, lane.head as number);
  }

  #start(kind: ClaimKind, lanes: readonly KnownLane[], permits: readonly Permit[]): boolean {
    if (permits.length === 0) return false;
    this.#inFlight[kind]++;
    this.#claim(lanes, permits, kind === 'suspects')
      .then((jobs) => this.publish(jobs))
      .catch((error) => this.#log.warn({ error: String(error), kind }, 'a claim failed; the next one tries again'))
      .finally(() => {
        this.#inFlight[kind]--;
        this.wake();
      });
    return true;
  }

  async #claim(
    lanes: readonly KnownLane[],
    permits: readonly Permit[],
    suspects = false,
  ): Promise<readonly ClaimedJob[]> {
    const watches = lanes.map((lane) => {
      const watch: ClaimWatch = { lowest: Number.POSITIVE_INFINITY };
      lane.claims.add(watch);
      return { lane, watch };
    });
    try {
      // If a failed claim was committed, the sessions' next heartbeats find its jobs; its permits stay spent.
      const result = await this.#claimFrom(lanes, permits, suspects);
      this.#credits.giveBack(unfilled(permits, result.jobs));
      for (const { lane, watch } of watches) advance(lane, watch, result.jobs, isDry(lane, permits, result));
      return result.jobs;
    } finally {
      for (const { lane, watch } of watches) lane.claims.delete(watch);
    }
  }

  /** A lane with limits, or with jobs that take resources, is claimed alone. */
  async #claimFrom(lanes: readonly KnownLane[], permits: readonly Permit[], suspects: boolean): Promise<ClaimResult> {
    const [first] = lanes as [KnownLane];
    const needs = first.needs.resources;
    const moment = nextMoment();
    const limits = first.limited ? await this.#limits.limitsToClaim(first) : undefined;
    const cursors = lanes.map(({ laneId, cursor }) => ({ laneId, cursor }));
    const claim = { permits, lanes: cursors, maxBytes: BYTES_PER_CLAIM, suspects, limits, needs };
    const result = await this.#store.claim(claim);
    // After the commit: a scan of deferred keys that finishes before this finds none of them deferred.
    if (result.limits) this.#limits.claimResult(first, result.limits, moment);
    if (result.capacity) this.#capacities.claimResult(first, result.capacity, moment);
    return result;
  }

  /** Notifies sessions of their new assignments. */
  publish(jobs: readonly ClaimedJob[]): void {
    if (jobs.length > 0) killPoint('claim.after_commit_before_publish');
    const bySession = new Map<string, Assignment[]>();
    for (const job of jobs) {
      const assignments = bySession.get(job.sessionId);
      if (assignments) assignments.push(this.assignmentOf(job));
      else bySession.set(job.sessionId, [this.assignmentOf(job)]);
    }
    for (const [sessionId, assignments] of bySession) this.#bus.assign(sessionId, assignments);
  }

  /** The lane must be known; every lane that this replica claimed from is. */
  assignmentOf(job: ClaimedJob): Assignment {
    const lane = this.#lanes.get(job.laneId);
    if (!lane) throw new Error(`lane ${job.laneId} is not loaded`);
    return {
      jobId: job.jobId,
      attempt: job.attempt,
      creditId: job.creditId,
      prefetch: job.prefetch,
      namespace: lane.namespace,
      definition: lane.definition,
      definitionVersion: lane.definitionVersion,
      handler: handlerOf(lane),
      input: job.input,
      runTimeoutMs: job.runTimeoutMs,
      leaseLossAction: lane.definitionBody.leaseLossAction,
      attemptCount: job.attemptCount,
      checkpoint: job.checkpoint,
      traceparent: this.#traceparentOf(job),
      tracestate: job.tracestate,
    };
  }

  /** The attempt's span; or the caller's unchanged if the control plane adds no spans. */
  #traceparentOf(job: ClaimedJob): string {
    if (!this.#sampling) return job.traceparent;
    return traceparentOf(spanContext(job, job.attempt, 'attempt', this.#sampling));
  }
}

export interface PermitsForJobs {
  readonly permits: ReadonlyMap<string, Permit>;
  /** The only lane among them with limits. */
  readonly limited?: LaneUnderLimits | undefined;
}

/** Whether a lane has no more ready jobs, as far as the claim has seen. */
function isDry(
  { laneId }: KnownLane,
  permits: readonly Permit[],
  { jobs, gatedLaneIds, limits, capacity }: ClaimResult,
): boolean {
  const isFull = jobs.reduce((sum, job) => sum + job.input.data.length, 0) >= BYTES_PER_CLAIM / 2;
  if (capacity) return capacity.dry && !isFull;
  if (limits) return limits.dry;
  return (jobs.length < permits.length && !isFull) || gatedLaneIds.includes(laneId);
}

/** Max permits for a claim. */
function limitFor(lanes: readonly KnownLane[]): number {
  const waiting = lanes.reduce((sum, lane) => sum + lane.waiting, 0);
  return Math.min(PERMITS_PER_CLAIM, Math.max(MIN_PERMITS, waiting));
}

/** Permits that were not used for a job. */
function unfilled(permits: readonly Permit[], jobs: readonly ClaimedJob[]): Permit[] {
  if (jobs.length === permits.length) return [];
  const filled = new Map<string, number>();
  const key = (permit: Permit) => `${permit.sessionId}/${permit.creditId}/${permit.prefetch}`;
  for (const job of jobs) filled.set(key(job), (filled.get(key(job)) ?? 0) + 1);
  return permits.filter((permit) => {
    const left = filled.get(key(permit)) ?? 0;
    if (left > 0) filled.set(key(permit), left - 1);
    return left === 0;
  });
}

/**
 * Moves a lane's head and cursor behind the claimed jobs, but not past hints that came during the claim. A lane that
 * ran dry has no head until the next hint or scan; nor has a lane behind a closed gate: its jobs are not ready until it
 * opens.
 */
function advance(lane: KnownLane, watch: ClaimWatch, jobs: readonly ClaimedJob[], dry: boolean): void {
  const claimed = jobs.filter((job) => job.laneId === lane.laneId);
  const left = Math.max(0, lane.waiting - claimed.length);
  const hinted = watch.lowest < Number.POSITIVE_INFINITY;
  lane.waiting = dry ? (hinted ? left : 0) : Math.max(left, 2 * claimed.length);
  const last = claimed.reduce((highest, job) => Math.max(highest, job.rank), lane.cursor);
  lane.cursor = Math.min(last, watch.lowest);
  if (dry && !hinted) lane.head = undefined;
  else lane.head = lane.cursor;
}
