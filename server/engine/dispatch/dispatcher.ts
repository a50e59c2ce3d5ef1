/** Matches parked credits with ready jobs: claims a batch in one statement and hands it to the sessions over the bus. */
import { type Sampling, spanContext, traceparentOf } from '../../domain/events/trace.ts';
import { killPoint } from '../base/kill-points.ts';
import type { Assignment, LaneHint } from '../base/messages.ts';
import type { RoomSeen } from '../ports/demands.ts';
import type { ClaimedJob, Place } from '../ports/dispatch.ts';
import type { LaneUnderLimits, LimitsSeen } from '../ports/limits.ts';
import type { Bus, Log } from '../ports/ports.ts';
import type { Store } from '../ports/store.ts';
import type { NewJob } from '../ports/submissions.ts';
import { immediatePlaces } from './immediate-places.ts';
import type { ClaimWatch, KnownLane } from './known-lane.ts';
import { handlerOf, type Lanes } from './lanes.ts';
import type { Limits } from './limits.ts';
import type { ForLane, Kinds, ParkedClass, ParkedCredits } from './parked-credits.ts';
import { kindsFor } from './prefetch.ts';
import type { Rooms } from './rooms.ts';

const CLAIMS_IN_FLIGHT = 2;
const PLACES_A_CLAIM = 1_000;
/** A claim for one job does not pay for a thousand places; one that finds more than was expected asks for twice as many. */
const LEAST_PLACES = 16;
const LANES_A_CLAIM = 4;
const BYTES_A_CLAIM = 8 << 20;

export class Dispatcher {
  readonly #store: Pick<Store, 'claim' | 'claimSuspects' | 'claimLimited' | 'claimDemanding'>;
  readonly #limits: Pick<Limits, 'claimLane' | 'laneOf' | 'seen' | 'takesSlotsOnly'>;
  readonly #rooms: Pick<Rooms, 'seen'>;
  readonly #lanes: Lanes;
  readonly #credits: ParkedCredits;
  readonly #bus: Bus;
  readonly #log: Log;
  readonly #sampling: Sampling | undefined;
  readonly #onWake: () => void;
  #claims = 0;
  #claimsSuspects = false;
  #claimsApart = false;
  #again = false;
  #stopped = false;

  constructor(parts: {
    store: Pick<Store, 'claim' | 'claimSuspects' | 'claimLimited' | 'claimDemanding'>;
    limits: Pick<Limits, 'claimLane' | 'laneOf' | 'seen' | 'takesSlotsOnly'>;
    rooms: Pick<Rooms, 'seen'>;
    lanes: Lanes;
    credits: ParkedCredits;
    bus: Bus;
    log: Log;
    /** Told whenever there may be ready jobs. */
    onWake: () => void;
    /** Undefined: the control plane has no spans of its own in the jobs' traces. */
    sampling?: Sampling | undefined;
  }) {
    this.#store = parts.store;
    this.#limits = parts.limits;
    this.#rooms = parts.rooms;
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
  async claimFor(sessionId: string, parked: ParkedClass | undefined): Promise<Assignment[]> {
    if (!parked) return [];
    const takeSlot = (_: Kinds, forLane?: ForLane) => this.#credits.takeSlotOf(sessionId, forLane);
    const suspects = await this.#claimOf(parked, this.#suspectsFor(parked), takeSlot, true);
    const take = (kinds: Kinds, forLane?: ForLane) => this.#credits.takeOf(sessionId, PLACES_A_CLAIM, kinds, forLane);
    const apart = await this.#claimOf(parked, this.#apartFor(parked, false), take);
    const others = await this.#claimOf(parked, this.#lanes.readyFor(parked, LANES_A_CLAIM), take);
    return [...suspects, ...apart, ...others].map((job) => this.assignmentOf(job));
  }

  async #claimOf(
    parked: ParkedClass,
    lanes: readonly KnownLane[],
    take: (kinds: Kinds, forLane?: ForLane) => Place[],
    suspects = false,
  ): Promise<readonly ClaimedJob[]> {
    const [first] = lanes;
    const places = first ? take(this.#kindsFor(parked, first), this.#lanes.placesOf(parked, first)) : [];
    return places.length === 0 ? [] : this.#claim(lanes, places, suspects);
  }

  /** Lanes of suspects: those that come together, else one that comes alone. */
  #suspectsFor(parked: ParkedClass): readonly KnownLane[] {
    const lanes = this.#lanes.readyFor(parked, LANES_A_CLAIM, true);
    return lanes.length > 0 ? lanes : this.#apartFor(parked, true);
  }

  #apartFor(parked: ParkedClass, suspect: boolean): readonly KnownLane[] {
    const lane = this.#lanes.apartFor(parked, suspect);
    return lane ? [lane] : [];
  }

  /** Places for jobs that are about to be stored; those that come to nothing are given back. */
  placesFor(jobs: readonly NewJob[]): PlacesForJobs {
    if (this.#stopped || !this.#bus.isUp()) return { places: new Map() };
    const { places, limited } = immediatePlaces(this.#lanes, this.#credits, this.#limits, jobs);
    return { places, limited: limited && this.#limits.laneOf(limited) };
  }

  giveBack(places: readonly Place[]): void {
    if (places.length === 0) return;
    this.#credits.giveBack(places);
    this.wake();
  }

  #pump(): void {
    if (this.#stopped || !this.#bus.isUp()) return;
    for (const parked of this.#credits.classes()) {
      this.#startSuspects(parked, true);
      this.#startApart(parked, true);
      while (this.#claims < CLAIMS_IN_FLIGHT && this.#start(parked)) {}
      this.#startApart(parked, false);
      this.#startSuspects(parked, false);
    }
  }

  /** Claims suspects, at most one for each session, and only for slots. `before`: if none of the others' heads is lower. */
  #startSuspects(parked: ParkedClass, before: boolean): void {
    if (this.#claimsSuspects) return;
    const lanes = this.#suspectsFor(parked);
    const [first] = lanes;
    if (!first || (before && this.#isBehind(parked, first))) return;
    const places = this.#credits.takeOneSlotEach(parked, PLACES_A_CLAIM, this.#lanes.placesOf(parked, first));
    if (places.length === 0) return;
    this.#claimsSuspects = true;
    this.#claim(lanes, places, true)
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
  #startApart(parked: ParkedClass, before: boolean): void {
    if (this.#claimsApart) return;
    const lane = this.#lanes.apartFor(parked);
    if (!lane || (before && this.#isBehind(parked, lane))) return;
    const places = this.#credits.take(parked, limitFor([lane]), 'slots', this.#lanes.placesOf(parked, lane));
    if (places.length === 0) return;
    this.#claimsApart = true;
    this.#claim([lane], places)
      .then((jobs) => this.publish(jobs))
      .catch((error) =>
        this.#log.warn({ error: String(error) }, 'a claim for some sessions failed; the next one tries again'),
      )
      .finally(() => {
        this.#claimsApart = false;
        this.wake();
      });
  }

  /** Whether one of the lanes that the class is served from together begins with a lower rank. */
  #isBehind(parked: ParkedClass, lane: KnownLane): boolean {
    const [other] = this.#lanes.readyFor(parked, 1);
    return other !== undefined && (other.head as number) < (lane.head as number);
  }

  #kindsFor(parked: ParkedClass, lane: KnownLane): Kinds {
    return kindsFor(this.#lanes, this.#limits, parked, lane, lane.head as number);
  }

  /** Starts one claim for a class; false if it has no ready lane or no place. */
  #start(parked: ParkedClass): boolean {
    return this.#startWith(parked, true) || this.#startWith(parked, false);
  }

  #startWith(parked: ParkedClass, withLimited: boolean): boolean {
    const lanes = this.#lanes.readyFor(parked, LANES_A_CLAIM, false, withLimited);
    const [first] = lanes;
    if (!first) return false;
    const places = this.#credits.take(parked, limitFor(lanes), this.#kindsFor(parked, first));
    if (places.length === 0) return false;
    this.#claims++;
    this.#claim(lanes, places)
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
    places: readonly Place[],
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
      const { jobs, isDry } = await this.#claimAs(first as KnownLane, lanes, places, suspects);
      this.#credits.giveBack(unfilled(places, jobs));
      for (const { lane, watch } of watches) advance(lane, watch, jobs, isDry(lane));
      return jobs;
    } finally {
      for (const { lane, watch } of watches) lane.claims.delete(watch);
    }
  }

  #claimAs(
    first: KnownLane,
    lanes: readonly KnownLane[],
    places: readonly Place[],
    suspects: boolean,
  ): Promise<Claimed> {
    if (first.needs.resources) return this.#claimDemanding(first, places, suspects);
    if (first.limited) return this.#claimLimited(first, places, suspects);
    return this.#claimOthers(lanes, places, suspects);
  }

  async #claimOthers(lanes: readonly KnownLane[], places: readonly Place[], suspects: boolean): Promise<Claimed> {
    const heldBack = new Set<number>();
    const onHeldBack = (laneIds: readonly number[]) => {
      for (const laneId of laneIds) heldBack.add(laneId);
    };
    const claim = { places, lanes, maxBytes: BYTES_A_CLAIM, onHeldBack };
    const jobs = await (suspects ? this.#store.claimSuspects(claim) : this.#store.claim(claim));
    const bytes = jobs.reduce((sum, job) => sum + job.input.data.length, 0);
    const dry = jobs.length < places.length && bytes < BYTES_A_CLAIM / 2;
    return { jobs, isDry: ({ laneId }) => dry || heldBack.has(laneId) };
  }

  async #claimLimited(lane: KnownLane, places: readonly Place[], suspects: boolean): Promise<Claimed> {
    const { frees } = lane;
    let found: LimitsSeen | undefined;
    const onLimits = (seen: LimitsSeen) => {
      found = seen;
    };
    const claim = { places, lane: await this.#limits.claimLane(lane, onLimits), maxBytes: BYTES_A_CLAIM };
    const jobs = await this.#store.claimLimited(claim, suspects);
    // Not from within the transaction: a look at the parked keys that overtakes its end finds none of them parked.
    if (found) this.#limits.seen(lane, found, frees);
    return { jobs, isDry: () => found?.dry !== false };
  }

  async #claimDemanding(lane: KnownLane, places: readonly Place[], suspects: boolean): Promise<Claimed> {
    const moment = this.#credits.nextMoment();
    const { frees, laneId, cursor, needs } = lane;
    let limits: LimitsSeen | undefined;
    let room: RoomSeen | undefined;
    const onLimits = (seen: LimitsSeen) => {
      limits = seen;
    };
    const onRoom = (seen: RoomSeen) => {
      room = seen;
    };
    const limited = lane.limited ? await this.#limits.claimLane(lane, onLimits) : undefined;
    const demanding = { laneId, cursor, needs: needs.resources ?? {}, limited, onRoom };
    const jobs = await this.#store.claimDemanding({ places, demanding, maxBytes: BYTES_A_CLAIM }, suspects);
    if (limits) this.#limits.seen(lane, limits, frees);
    if (room) this.#rooms.seen(lane, room, moment);
    const bytes = jobs.reduce((sum, job) => sum + job.input.data.length, 0);
    return { jobs, isDry: () => room?.dry !== false && bytes < BYTES_A_CLAIM / 2 };
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

export interface PlacesForJobs {
  readonly places: ReadonlyMap<string, Place>;
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
  return Math.min(PLACES_A_CLAIM, Math.max(LEAST_PLACES, waiting));
}

/** Places that no job was assigned to. */
function unfilled(places: readonly Place[], jobs: readonly ClaimedJob[]): Place[] {
  if (jobs.length === places.length) return [];
  const filled = new Map<string, number>();
  const key = (place: Place) => `${place.sessionId}/${place.creditId}/${place.prefetch}`;
  for (const job of jobs) filled.set(key(job), (filled.get(key(job)) ?? 0) + 1);
  return places.filter((place) => {
    const left = filled.get(key(place)) ?? 0;
    if (left > 0) filled.set(key(place), left - 1);
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
