/**
 * Lanes with limits, and keys at their limit. A lane or key that a claim found full is skipped until a permit under its
 * limit is released, here or at another replica, or until its rate has units again. This only saves work: the claim
 * itself decides what may be assigned, and a round each second finds what was missed.
 */
import type { Announcer, ReleasedPermit } from '../announcer.ts';
import type { DbClock } from '../base/db-clock.ts';
import { derivedUuid } from '../base/derived-ids.ts';
import { NO_ID } from '../base/pages.ts';
import type { LaneUnderLimits, LimitsResult, LimitsToClaim } from '../ports/limits.ts';
import type { Bus, Log, Timer, Timers } from '../ports/ports.ts';
import type { Store } from '../ports/store.ts';
import type { KnownLane } from './known-lane.ts';
import type { Lanes } from './lanes.ts';

/** Max keys per scan. */
const KEYS_PER_SCAN = 500;
/** Max keys remembered as having jobs at the limit; the rounds find the forgotten ones. */
const MAX_DEFERRED = 100_000;
/** Max keys with a timer for units of their rate; the rounds find the others. */
const MAX_TIMERS = 10_000;
/** Max delay of a timer: the rounds come more often. */
const MAX_WAIT_MS = 60_000;

export interface LimitsParts {
  readonly store: Pick<Store, 'requeueDeferred' | 'readWaitingKeys'>;
  readonly lanes: Lanes;
  readonly bus: Pick<Bus, 'announce'>;
  readonly dbClock: DbClock;
  readonly timers: Timers;
  readonly log: Log;
  readonly announcer: Pick<Announcer, 'committed'>;
  /** A lane that was full may have capacity. */
  readonly onCapacity: () => void;
}

export class Limits {
  readonly #parts: LimitsParts;
  readonly #buckets = new Map<number, Pick<LaneUnderLimits, 'queueBucketId' | 'definitionBucketId'>>();
  readonly #laneTimers = new Map<number, Timer>();
  readonly #keyTimers = new Map<string, Timer>();
  /** Keys whose jobs wait at the limit, as far as this replica knows; other keys need no scan. */
  readonly #deferred = new Set<string>();
  /** Keys to scan. */
  readonly #keys = new Set<string>();
  #scanning: Promise<void> | undefined;
  #lastKey = NO_ID;
  #stopped = false;

  constructor(parts: LimitsParts) {
    this.#parts = parts;
  }

  /** The lane in the form needed to assign jobs under its limits. */
  laneOf({ laneId, namespace, queue, definition }: KnownLane): LaneUnderLimits {
    let buckets = this.#buckets.get(laneId);
    if (!buckets) {
      const idOf = (kind: string, name: string) => derivedUuid(`rate ${JSON.stringify([kind, namespace, name])}`);
      buckets = { queueBucketId: idOf('queue', queue), definitionBucketId: idOf('definition', definition) };
      this.#buckets.set(laneId, buckets);
    }
    return { laneId, namespace, queue, definition, ...buckets, ownUs: this.#parts.dbClock.nowUs() };
  }

  /** The parameters of a claim from a lane with limits. */
  async limitsToClaim(lane: KnownLane): Promise<LimitsToClaim> {
    return { ...this.laneOf(lane), atLimitLaneId: await this.#parts.lanes.atLimitOf(lane) };
  }

  /** Records the result of a claim that began at `moment`. */
  claimResult(lane: KnownLane, claimResult: LimitsResult, moment: number): void {
    const { openTimeUs } = claimResult;
    const isMarked = claimResult.exhausted && lane.exhausted.mark(lane.laneId, moment);
    if (isMarked && openTimeUs !== undefined) this.#openAt(lane, openTimeUs);
    if (claimResult.exhausted || claimResult.deferred.length > 0) lane.contended = true;
    else if (claimResult.dry) lane.contended = false;
    for (const limitId of claimResult.deferred) this.#know(limitId);
    // The claim did not see permits released while it deferred these keys.
    this.#probe(claimResult.deferred);
  }

  /**
   * Whether the lane's jobs take slots only: a job in prefetch would hold a permit that other jobs, which wait for
   * capacity under the limit, could use meanwhile.
   */
  takesSlotsOnly(lane: KnownLane): boolean {
    return lane.limited && (lane.contended || this.#deferred.size > 0);
  }

  /** Call it for every attempt that has ended or gone back, and for waiting jobs that are gone. */
  freed(freed: readonly ReleasedPermit[]): void {
    const { lanes, bus } = this.#parts;
    const limitIds = [...new Set(freed.flatMap(({ limitId }) => limitId ?? []))];
    if (limitIds.length > 0) {
      this.onRemoteKeyRelease(limitIds);
      bus.announce({ kind: 'freedKeys', limitIds });
    }
    const isLimited = (laneId: number) => lanes.get(laneId)?.limited !== false;
    const limited = [...new Set(freed.map(({ laneId }) => laneId))].filter(isLimited);
    if (limited.length === 0) return;
    this.onRemoteRelease(limited);
    bus.announce({ kind: 'freed', laneIds: limited });
  }

  /** Another replica has announced that permits were released in these lanes. */
  onRemoteRelease(laneIds: readonly number[]): void {
    if (this.#parts.lanes.free(laneIds)) this.#parts.onCapacity();
  }

  /** The same for keys. */
  onRemoteKeyRelease(limitIds: readonly string[]): void {
    if (this.#deferred.size > 0) this.#probe(limitIds.filter((limitId) => this.#deferred.has(limitId)));
  }

  /**
   * The lane for a new job whose key has jobs deferred at its limit: behind those, so that no claim meets it before its
   * turn. Undefined: its own lane.
   */
  deferredLaneOf(laneId: number, limitId: string): number | undefined {
    return this.#deferred.has(limitId) ? this.#parts.lanes.knownAtLimitOf(laneId) : undefined;
  }

  /** Called each second. */
  async sweep(): Promise<void> {
    const ids = await this.#parts.store.readWaitingKeys(this.#lastKey, KEYS_PER_SCAN);
    this.#lastKey = ids.length < KEYS_PER_SCAN ? NO_ID : (ids.at(-1) ?? NO_ID);
    this.#probe(ids);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of [...this.#laneTimers.values(), ...this.#keyTimers.values()]) timer.cancel();
    await this.#scanning;
  }

  #openAt(lane: KnownLane, openTimeUs: number): void {
    if (this.#stopped) return;
    this.#laneTimers.get(lane.laneId)?.cancel();
    const timer = this.#parts.timers.after(this.#msUntil(openTimeUs), () => {
      this.#laneTimers.delete(lane.laneId);
      this.onRemoteRelease([lane.laneId]);
    });
    this.#laneTimers.set(lane.laneId, timer);
  }

  #msUntil(timeUs: number): number {
    return Math.min(MAX_WAIT_MS, Math.max(1, (timeUs - this.#parts.dbClock.nowUs()) / 1000));
  }

  #know(limitId: string): void {
    if (this.#deferred.size >= MAX_DEFERRED) this.#deferred.clear();
    this.#deferred.add(limitId);
  }

  #probe(limitIds: readonly string[]): void {
    if (limitIds.length === 0 || this.#stopped) return;
    for (const limitId of limitIds) this.#keys.add(limitId);
    this.#scanning ??= this.#scanAll().finally(() => {
      this.#scanning = undefined;
    });
  }

  async #scanAll(): Promise<void> {
    const { store, log, announcer } = this.#parts;
    while (this.#keys.size > 0 && !this.#stopped) {
      const ids = [...this.#keys].slice(0, KEYS_PER_SCAN);
      for (const id of ids) this.#keys.delete(id);
      try {
        const { deferred, lanes, later } = await store.requeueDeferred(ids);
        for (const id of ids) this.#deferred.delete(id);
        for (const id of deferred) this.#know(id);
        for (const { limitId, openTimeUs } of later) this.#scan(limitId, openTimeUs);
        announcer.committed({ ready: lanes });
      } catch (error) {
        log.warn(
          { error: String(error) },
          'could not requeue jobs deferred at their limit; the next round tries again',
        );
      }
    }
  }

  #scan(limitId: string, timeUs: number): void {
    if (this.#stopped || this.#keyTimers.size >= MAX_TIMERS || this.#keyTimers.has(limitId)) return;
    const timer = this.#parts.timers.after(this.#msUntil(timeUs), () => {
      this.#keyTimers.delete(limitId);
      this.#probe([limitId]);
    });
    this.#keyTimers.set(limitId, timer);
  }
}
