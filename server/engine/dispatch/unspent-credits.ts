/** Credits granted by sessions and not spent by a claim yet. They pace the dispatcher; safety never depends on them. */
import { classKey, type SessionClass } from '../../domain/dispatch/placement.ts';
import type { Permit } from '../ports/dispatch.ts';
import type { Clock } from '../ports/ports.ts';
import { Exhausted } from './exhausted.ts';

/**
 * A worker counts 15 s from before it sends the credit; here it expires earlier, so that an assignment can still
 * arrive.
 */
export const CREDIT_LIFE_MS = 15_000;
export const CREDIT_MARGIN_MS = 2_000;
/** For how long sessions of a class get no jobs of a lane after one of them reported that it can't run one. */
export const BAR_MS = 30_000;

export interface GrantedCredit {
  readonly creditId: number;
  readonly slots: number;
  readonly prefetch: number;
}

interface UnspentCredit {
  readonly creditId: number;
  readonly until: number;
  voided: boolean;
  slots: number;
  prefetch: number;
}

export interface CreditSession {
  readonly sessionId: string;
  readonly workerName: string;
  /** By credit id, so that a repeated grant changes nothing; in order of expiry. */
  readonly credits: Map<number, UnspentCredit>;
  /** Credits with permits left, by kind, so that taking one is O(1). */
  readonly open: Readonly<Record<PermitKind, Set<UnspentCredit>>>;
  /** Lanes for whose jobs it has no capacity. */
  readonly exhausted: Exhausted<number>;
}

type PermitKind = 'slots' | 'prefetch';

export interface CreditClass {
  readonly key: string;
  readonly sessionClass: SessionClass;
  /** Which lanes it can serve: a pure function of class and lane, computed once. */
  readonly fit: Map<number, boolean>;
  /** Lanes that it can't serve for now, and until when. */
  readonly bars: Map<number, number>;
  readonly sessions: Map<string, CreditSession>;
  /** All classes, including this one. */
  readonly all: ReadonlyMap<string, CreditClass>;
}

/** The lane that permits are for, if not all sessions of a class can run its jobs. */
export interface ForLane {
  readonly laneId: number;
  /** Name of the worker that its jobs are sticky to. */
  readonly worker: string | undefined;
}

/**
 * Kinds of permits that may be taken: slots only, or prefetch too, or prefetch except of sessions in which jobs of
 * certain lanes wait for a slot. The function is called only when prefetch would be taken.
 */
export type Kinds = 'slots' | 'any' | { readonly exceptFor: () => readonly ForLane[] };

export class UnspentCredits {
  readonly #clock: Clock;
  #classes = new Map<string, CreditClass>();
  #classOf = new Map<string, CreditClass>();
  #nextPrune = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  deposit(sessionId: string, sessionClass: SessionClass, credits: readonly GrantedCredit[], workerName = ''): void {
    const now = this.#clock.now();
    this.#prune(now);
    const until = now + CREDIT_LIFE_MS - CREDIT_MARGIN_MS;
    const session = this.#session(sessionId, sessionClass, workerName);
    for (const { creditId, slots, prefetch } of credits) {
      // A late copy must not revive a spent credit: a known id stays unchanged until it expires.
      if (session.credits.has(creditId)) continue;
      const credit = { creditId, until, voided: false, slots, prefetch };
      session.credits.set(creditId, credit);
      if (slots > 0) session.open.slots.add(credit);
      if (prefetch > 0) session.open.prefetch.add(credit);
    }
  }

  void(sessionId: string, creditIds: readonly number[]): void {
    const session = this.#classOf.get(sessionId)?.sessions.get(sessionId);
    if (!session) return;
    for (const id of creditIds) {
      const credit = session.credits.get(id);
      if (!credit) continue;
      Object.assign(credit, { voided: true, slots: 0, prefetch: 0 });
      close(session, credit);
    }
  }

  forget(sessionId: string): void {
    this.#classOf.get(sessionId)?.sessions.delete(sessionId);
    this.#classOf.delete(sessionId);
  }

  /** Classes with sessions, the one served longest ago first: taking permits moves a class to the end. */
  classes(): CreditClass[] {
    const classes = [...this.#classes.values()];
    for (const creditClass of classes) if (creditClass.bars.size > 0) liftBars(creditClass, this.#clock.now());
    return classes;
  }

  /** A session refused a job of this lane, as one that it can't run: its class gets none of them for a while. */
  bar(sessionId: string, laneId: number): void {
    const creditClass = this.#classOf.get(sessionId);
    if (!creditClass) return;
    creditClass.bars.set(laneId, this.#clock.now() + BAR_MS);
    creditClass.fit.set(laneId, false);
  }

  /** Until when sessions of a class get no jobs of the lane, in ms; undefined: it is not barred. */
  barOf(sessionClass: SessionClass, laneId: number): number | undefined {
    const until = this.#classes.get(classKey(sessionClass))?.bars.get(laneId);
    return until !== undefined && until > this.#clock.now() ? until : undefined;
  }

  /** Attempts requested by credits that have not expired. */
  totals(): { slots: number; prefetch: number } {
    const now = this.#clock.now();
    const sums = { slots: 0, prefetch: 0 };
    for (const { sessions } of this.#classes.values()) {
      for (const { open } of sessions.values()) {
        for (const { until, slots } of open.slots) if (until > now) sums.slots += slots;
        for (const { until, prefetch } of open.prefetch) if (until > now) sums.prefetch += prefetch;
      }
    }
    return sums;
  }

  /** The class of a session that has granted credits here. */
  classOf(sessionId: string): CreditClass | undefined {
    return this.#classOf.get(sessionId);
  }

  /** A claim that began at the moment found no capacity for jobs of the lane in these sessions. */
  fill(sessionIds: readonly string[], laneId: number, moment: number): void {
    for (const sessionId of sessionIds)
      this.#classOf.get(sessionId)?.sessions.get(sessionId)?.exhausted.mark(laneId, moment);
  }

  /** Resources were released, or may have been, in these sessions; by default in all known ones. */
  freeCapacity(sessionIds: Iterable<string> = this.#classOf.keys()): void {
    for (const sessionId of sessionIds) this.#classOf.get(sessionId)?.sessions.get(sessionId)?.exhausted.release();
  }

  /** Takes up to `limit` permits of a class, slots before prefetch, one per session in turn. */
  take(creditClass: CreditClass, limit: number, kinds: Kinds = 'any', forLane?: ForLane): Permit[] {
    this.#classes.delete(creditClass.key);
    this.#classes.set(creditClass.key, creditClass);
    return this.#takeFrom([...creditClass.sessions.values()], limit, kinds, forLane);
  }

  /** Takes one slot of each session of a class, up to `limit`. */
  takeOneSlotEach(creditClass: CreditClass, limit: number, forLane?: ForLane): Permit[] {
    const now = this.#clock.now();
    const permits: Permit[] = [];
    for (const session of creditClass.sessions.values()) {
      if (permits.length === limit) break;
      if (!isFor(session, forLane)) continue;
      this.#expire(session, now);
      permits.push(...takeKind([session], 1, 'slots'));
    }
    return permits;
  }

  /** Takes one slot of one session, if it has one. */
  takeSlotOf(sessionId: string, forLane?: ForLane): Permit[] {
    const session = this.#classOf.get(sessionId)?.sessions.get(sessionId);
    if (!session || !isFor(session, forLane)) return [];
    this.#expire(session, this.#clock.now());
    return takeKind([session], 1, 'slots');
  }

  /** As `take`, from one session. */
  takeOf(sessionId: string, limit: number, kinds: Kinds = 'any', forLane?: ForLane): Permit[] {
    const session = this.#classOf.get(sessionId)?.sessions.get(sessionId);
    return session ? this.#takeFrom([session], limit, kinds, forLane) : [];
  }

  #takeFrom(given: readonly CreditSession[], limit: number, kinds: Kinds, forLane?: ForLane): Permit[] {
    const now = this.#clock.now();
    const sessions = forLane ? given.filter((session) => isFor(session, forLane)) : given;
    for (const session of sessions) this.#expire(session, now);
    const slots = takeKind(sessions, limit, 'slots');
    if (kinds === 'slots' || slots.length === limit) return slots;
    const ahead = sessions.filter(({ open }) => open.prefetch.size > 0);
    if (ahead.length === 0) return slots;
    const owing = kinds === 'any' ? [] : kinds.exceptFor();
    const free = owing.length > 0 ? ahead.filter((one) => !owing.some((lane) => isFor(one, lane))) : ahead;
    return slots.concat(takeKind(free, limit - slots.length, 'prefetch'));
  }

  /** Gives back permits that a claim did not use. */
  giveBack(permits: readonly Permit[]): void {
    for (const { sessionId, creditId, prefetch } of permits) {
      const session = this.#classOf.get(sessionId)?.sessions.get(sessionId);
      const credit = session?.credits.get(creditId);
      if (!session || !credit || credit.voided) continue;
      const kind = prefetch ? 'prefetch' : 'slots';
      credit[kind]++;
      session.open[kind].add(credit);
    }
  }

  /** Removes expired entries: a session that was closed at another replica gets no further call here. */
  #prune(now: number): void {
    if (now < this.#nextPrune) return;
    this.#nextPrune = now + CREDIT_LIFE_MS;
    for (const creditClass of this.#classes.values()) {
      for (const session of creditClass.sessions.values()) {
        this.#expire(session, now);
        if (session.credits.size === 0) this.forget(session.sessionId);
      }
      if (creditClass.sessions.size === 0) this.#classes.delete(creditClass.key);
    }
  }

  /** Spent credits stay until they expire; that makes a repeated grant harmless. */
  #expire(session: CreditSession, now: number): void {
    for (const credit of session.credits.values()) {
      if (credit.until > now) return;
      session.credits.delete(credit.creditId);
      close(session, credit);
    }
  }

  #session(sessionId: string, sessionClass: SessionClass, workerName: string): CreditSession {
    const key = classKey(sessionClass);
    let creditClass = this.#classes.get(key);
    if (!creditClass) {
      creditClass = { key, sessionClass, fit: new Map(), bars: new Map(), sessions: new Map(), all: this.#classes };
      this.#classes.set(key, creditClass);
    }
    this.#classOf.set(sessionId, creditClass);
    let session = creditClass.sessions.get(sessionId);
    if (!session) {
      const open = { slots: new Set<UnspentCredit>(), prefetch: new Set<UnspentCredit>() };
      session = { sessionId, workerName, credits: new Map(), open, exhausted: new Exhausted<number>() };
      creditClass.sessions.set(sessionId, session);
    }
    return session;
  }
}

/** Whether the session has capacity, as far as this replica knows, and is the named worker, if one is named. */
function isFor({ exhausted, workerName }: CreditSession, forLane: ForLane | undefined): boolean {
  if (!forLane) return true;
  return !exhausted.has(forLane.laneId) && (forLane.worker ?? workerName) === workerName;
}

/** Whether a session of the class offers a slot for jobs of the lane. */
export function offersSlot({ sessions }: CreditClass, forLane?: ForLane): boolean {
  for (const session of sessions.values()) if (session.open.slots.size > 0 && isFor(session, forLane)) return true;
  return false;
}

/** When the last slot expires that a session offers for jobs of the lane; 0: it offers none. */
export function lastSlotUntil(session: CreditSession, forLane?: ForLane): number {
  return isFor(session, forLane) ? Math.max(0, ...[...session.open.slots].map(({ until }) => until)) : 0;
}

export function hasWorker({ sessions }: CreditClass, workerName: string): boolean {
  for (const session of sessions.values()) if (session.workerName === workerName) return true;
  return false;
}

/** Removes expired bars; whether the lane fits is computed again. */
function liftBars({ bars, fit }: CreditClass, now: number): void {
  for (const [laneId, until] of bars) {
    if (until > now) continue;
    bars.delete(laneId);
    fit.delete(laneId);
  }
}

function close({ open }: CreditSession, credit: UnspentCredit): void {
  open.slots.delete(credit);
  open.prefetch.delete(credit);
}

/**
 * Takes permits of one kind, one per session in turn, so that no session gets all of a small batch; oldest credit
 * first.
 */
function takeKind(sessions: readonly CreditSession[], limit: number, kind: PermitKind): Permit[] {
  const permits: Permit[] = [];
  let offering = sessions.filter(({ open }) => open[kind].size > 0);
  while (permits.length < limit && offering.length > 0) {
    for (const { sessionId, open } of offering) {
      const [credit] = open[kind];
      if (!credit || permits.length === limit) break;
      if (--credit[kind] === 0) open[kind].delete(credit);
      permits.push({ sessionId, creditId: credit.creditId, prefetch: kind === 'prefetch' });
    }
    offering = offering.filter(({ open }) => open[kind].size > 0);
  }
  return permits;
}
