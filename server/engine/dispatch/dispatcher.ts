/** Matches parked credits with ready jobs: claims a batch in one statement and hands it to the sessions over the bus. */
import { type Sampling, spanContext, traceparentOf } from '../../domain/events/trace.ts';
import { killPoint } from '../base/kill-points.ts';
import type { Assignment, LaneHint } from '../base/messages.ts';
import type { CapacityResult } from '../ports/demands.ts';
import type { ClaimedJob, Permit } from '../ports/dispatch.ts';
import type { LaneUnderLimits, LimitsResult } from '../ports/limits.ts';
import type { Bus, Log } from '../ports/ports.ts';
import type { Store } from '../ports/store.ts';
import type { NewJob } from '../ports/submissions.ts';
import type { Capacities } from './capacities.ts';
import { immediatePermits } from './immediate-permits.ts';
import type { ClaimWatch, KnownLane } from './known-lane.ts';
import { handlerOf, type Lanes } from './lanes.ts';
import type { Limits } from './limits.ts';
import { kindsFor } from './prefetch.ts';
import type { CreditClass, ForLane, Kinds, UnspentCredits } from './unspent-credits.ts';

const CLAIMS_IN_FLIGHT = 2;
const PERMITS_PER_CLAIM = 1_000;
/** A claim for one job does not pay for a thousand places; one that finds more than was expected asks for twice as many. */
const MIN_PERMITS = 16;
const LANES_PER_CLAIM = 4;
const BYTES_PER_CLAIM = 8 << 20;

export class Dispatcher {
  readonly #store: Pick<Store, 'claim' | 'claimSuspects' | 'claimLimited' | 'claimDemanding'>;
  readonly #limits: Pick<Limits, 'claimLane' | 'laneOf' | 'claimResult' | 'takesSlotsOnly'>;
  readonly #capacities: Pick<Capacities, 'claimResult'>;
  readonly #lanes: Lanes;
  readonly #credits: UnspentCredits;
  readonly #bus: Bus;
  readonly #log: Log;
  readonly #sampling: Sampling | undefined;
  readonly #onWake: () => void;
  #claims = 0;
  #claimsSuspects = false;
  #claimsSingleLane = false;
  #again = false;
  #stopped = false;

  constructor(parts: {
    store: Pick<Store, 'claim' | 'claimSuspects' | 'claimLimited' | 'claimDemanding'>;
    limits: Pick<Limits, 'claimLane' | 'laneOf' | 'claimResult' | 'takesSlotsOnly'>;
    capacities: Pick<Capacities, 'claimResult'>;
    lanes: Lanes;
    credits: UnspentCredits;
    bus: Bus;
    log: Log;
    /** Told whenever there may be ready jobs. */
    onWake: () => void;
    /** Undefined: the control plane has no spans of its own in the jobs' traces. */
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
    this.#onWake = parts.onWake;
  }

  /** Jobs became ready: in these lanes, at these ranks. */
  hint(hints: readonly LaneHint[]): void {
    if (hints.every((hint) => this.#lanes.lower(hint))) this.wake();
    else
      this.#lanes.hint(hints).then(
        () => this.wake(),
        (error) => this.#log.warn({ error: String(error) }, 'lanes could not be loaded; the next scan tries again'),
      );
  }

  /** Something changed that may let a claim succeed. Several wakes in one turn of the event loop are one. */
  wake(): void {
    if (this.#again || this.#stopped) return;
    this.#again = true;
    queueMicrotask(() => {
      this.#again = false;
      this.#onWake();
      this.#pump();
    });
  }

  stop(): void {
    this.#stopped = true;
  }

  /**
   * While the bus is down: claims for one session and returns the assignments, to ride in a reply. A suspect, which gets a slot
   * and never a second one beside it, comes before all that would take every place.
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

  /** Lanes of suspects: those that come together, else one that comes alone. */
  #suspectsFor(creditClass: CreditClass): readonly KnownLane[] {
    const lanes = this.#lanes.readyFor(creditClass, LANES_PER_CLAIM, true);
    return lanes.length > 0 ? lanes : this.#singleLaneFor(creditClass, true);
  }

  #singleLaneFor(creditClass: CreditClass, suspect: boolean): readonly KnownLane[] {
    const lane = this.#lanes.singleLaneFor(creditClass, suspect);
    return lane ? [lane] : [];
  }

  /** Places for jobs that are about to be stored; those that come to nothing are given back. */
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

  #pump(): void {
    if (this.#stopped || !this.#bus.isUp()) return;
    for (const creditClass of this.#credits.classes()) {
      this.#startSuspects(creditClass, true);
      this.#startSingleLane(creditClass, true);
      while (this.#claims < CLAIMS_IN_FLIGHT && this.#start(creditClass)) {}
      this.#startSingleLane(creditClass, false);
      this.#startSuspects(creditClass, false);
    }
  }

  /** Claims suspects, at most one for each session, and only for slots. `before`: if none of the others' heads is lower. */
  #startSuspects(creditClass: CreditClass, before: boolean): void {
    if (this.#claimsSuspects) return;
    const lanes = this.#suspectsFor(creditClass);
    const [first] = lanes;
    if (!first || (before && this.#isBehind(creditClass, first))) return;
    const permits = this.#credits.takeOneSlotEach(
      creditClass,
      PERMITS_PER_CLAIM,
      this.#lanes.permitsOf(creditClass, first),
    );
    if (permits.length === 0) return;
    this.#claimsSuspects = true;
    this.#claim(lanes, permits, true)
      .then((jobs) => this.publish(jobs))
      .catch((error) =>
        this.#log.warn({ error: String(error) }, 'a claim of suspects failed; the next one tries again'),
      )
      .finally(() => {
        this.#claimsSuspects = false;
        this.wake();
      });
  }

  /**
   * Claims jobs that are not for all sessions of a class, one lane at a time, and only for slots: two such claims would be in
   * each other's way. `before`: if none of the others' heads is lower.
   */
  #startSingleLane(creditClass: CreditClass, before: boolean): void {
    if (this.#claimsSingleLane) return;
    const lane = this.#lanes.singleLaneFor(creditClass);
    if (!lane || (before && this.#isBehind(creditClass, lane))) return;
    const permits = this.#credits.take(
      creditClass,
      limitFor([lane]),
      'slots',
      this.#lanes.permitsOf(creditClass, lane),
    );
    if (permits.length === 0) return;
    this.#claimsSingleLane = true;
    this.#claim([lane], permits)
      .then((jobs) => this.publish(jobs))
      .catch((error) =>
        this.#log.warn({ error: String(error) }, 'a claim for some sessions failed; the next one tries again'),
      )
      .finally(() => {
        this.#claimsSingleLane = false;
        this.wake();
      });
  }

  /** Whether one of the lanes that the class is served from together begins with a lower rank. */
  #isBehind(creditClass: CreditClass, lane: KnownLane): boolean {
    const [other] = this.#lanes.readyFor(creditClass, 1);
    return other !== undefined && (other.head as number) < (lane.head as number);
  }

  #kindsFor(creditClass: CreditClass, lane: KnownLane): Kinds {
    return kindsFor(this.#lanes, this.#limits, creditClass, lane, lane.head as number);
  }

  /** Starts one claim for a class; false if it has no ready lane or no place. */
  #start(creditClass: CreditClass): boolean {
    return this.#startWith(creditClass, true) || this.#startWith(creditClass, false);
  }

  #startWith(creditClass: CreditClass, withLimited: boolean): boolean {
    const lanes = this.#lanes.readyFor(creditClass, LANES_PER_CLAIM, false, withLimited);
    const [first] = lanes;
    if (!first) return false;
    const permits = this.#credits.take(creditClass, limitFor(lanes), this.#kindsFor(creditClass, first));
    if (permits.length === 0) return false;
    this.#claims++;
    this.#claim(lanes, permits)
      .then((jobs) => this.publish(jobs))
      .catch((error) => this.#log.warn({ error: String(error) }, 'a claim failed; the next one tries again'))
      .finally(() => {
        this.#claims--;
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
      // What a failed claim did, if it did, is found by the sessions' next heartbeats; its places stay spent until then.
      const [first] = lanes;
      const { jobs, isDry } = await this.#claimAs(first as KnownLane, lanes, permits, suspects);
      this.#credits.giveBack(unfilled(permits, jobs));
      for (const { lane, watch } of watches) advance(lane, watch, jobs, isDry(lane));
      return jobs;
    } finally {
      for (const { lane, watch } of watches) lane.claims.delete(watch);
    }
  }

  #claimAs(
    first: KnownLane,
    lanes: readonly KnownLane[],
    permits: readonly Permit[],
    suspects: boolean,
  ): Promise<Claimed> {
    if (first.needs.resources) return this.#claimDemanding(first, permits, suspects);
    if (first.limited) return this.#claimLimited(first, permits, suspects);
    return this.#claimOthers(lanes, permits, suspects);
  }

  async #claimOthers(lanes: readonly KnownLane[], permits: readonly Permit[], suspects: boolean): Promise<Claimed> {
    const gatedLanes = new Set<number>();
    const onGated = (laneIds: readonly number[]) => {
      for (const laneId of laneIds) gatedLanes.add(laneId);
    };
    const claim = { permits, lanes, maxBytes: BYTES_PER_CLAIM, onGated };
    const jobs = await (suspects ? this.#store.claimSuspects(claim) : this.#store.claim(claim));
    const bytes = jobs.reduce((sum, job) => sum + job.input.data.length, 0);
    const dry = jobs.length < permits.length && bytes < BYTES_PER_CLAIM / 2;
    return { jobs, isDry: ({ laneId }) => dry || gatedLanes.has(laneId) };
  }

  async #claimLimited(lane: KnownLane, permits: readonly Permit[], suspects: boolean): Promise<Claimed> {
    const { version } = lane;
    let found: LimitsResult | undefined;
    const onLimits = (claimResult: LimitsResult) => {
      found = claimResult;
    };
    const claim = { permits, lane: await this.#limits.claimLane(lane, onLimits), maxBytes: BYTES_PER_CLAIM };
    const jobs = await this.#store.claimLimited(claim, suspects);
    // Not from within the transaction: a look at the parked keys that overtakes its end finds none of them parked.
    if (found) this.#limits.claimResult(lane, found, version);
    return { jobs, isDry: () => found?.dry !== false };
  }

  async #claimDemanding(lane: KnownLane, permits: readonly Permit[], suspects: boolean): Promise<Claimed> {
    const moment = this.#credits.nextMoment();
    const { version, laneId, cursor, needs } = lane;
    let limits: LimitsResult | undefined;
    let capacityResult: CapacityResult | undefined;
    const onLimits = (claimResult: LimitsResult) => {
      limits = claimResult;
    };
    const onCapacity = (claimResult: CapacityResult) => {
      capacityResult = claimResult;
    };
    const limited = lane.limited ? await this.#limits.claimLane(lane, onLimits) : undefined;
    const demanding = { laneId, cursor, needs: needs.resources ?? {}, limited, onCapacity };
    const jobs = await this.#store.claimDemanding({ permits, demanding, maxBytes: BYTES_PER_CLAIM }, suspects);
    if (limits) this.#limits.claimResult(lane, limits, version);
    if (capacityResult) this.#capacities.claimResult(lane, capacityResult, moment);
    const bytes = jobs.reduce((sum, job) => sum + job.input.data.length, 0);
    return { jobs, isDry: () => capacityResult?.dry !== false && bytes < BYTES_PER_CLAIM / 2 };
  }

  /** Tells sessions what has been assigned to them. */
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

  /** The lane must be known: it is, for whatever this replica claimed. */
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
      attemptsCounted: job.attemptsCounted,
      checkpoint: job.checkpoint,
      traceparent: this.#traceparentOf(job),
      tracestate: job.tracestate,
    };
  }

  /** Of the attempt's span; or of the caller's, handed on as it came, where no span of ours stands between. */
  #traceparentOf(job: ClaimedJob): string {
    if (!this.#sampling) return job.traceparent;
    return traceparentOf(spanContext(job, job.attempt, 'attempt', this.#sampling));
  }
}

export interface PermitsForJobs {
  readonly permits: ReadonlyMap<string, Permit>;
  /** The one lane among them that has limits. */
  readonly limited?: LaneUnderLimits | undefined;
}

interface Claimed {
  readonly jobs: readonly ClaimedJob[];
  /** Whether a lane has no more ready jobs, as far as the claim has seen. */
  readonly isDry: (lane: KnownLane) => boolean;
}

/** How many places a claim asks for. */
function limitFor(lanes: readonly KnownLane[]): number {
  const waiting = lanes.reduce((sum, lane) => sum + lane.waiting, 0);
  return Math.min(PERMITS_PER_CLAIM, Math.max(MIN_PERMITS, waiting));
}

/** Places that no job was assigned to. */
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
 * Moves a lane's head and cursor behind what was claimed, but not past what was hinted at meanwhile. A lane that ran dry
 * has no head until the next hint or scan; nor has one that is held back, of which there are none until it is let go.
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
