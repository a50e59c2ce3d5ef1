/** Credits that sessions have granted and that no claim has spent yet. They pace the dispatcher; safety never rests on them. */
import { classKey, type SessionClass } from '../../domain/dispatch/placement.ts';
import type { Permit } from '../ports/dispatch.ts';
import type { Clock } from '../ports/ports.ts';

/** A worker counts 15 s from before it sent the credit; ours ends earlier, so that an assignment can still arrive. */
export const CREDIT_LIFE_MS = 15_000;
export const CREDIT_MARGIN_MS = 2_000;
/** How long sessions of a class get no jobs of a lane after one of them said that it can't run one. */
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
  /** By credit id, so that a repeated grant changes nothing; the one that ends first comes first. */
  readonly credits: Map<number, UnspentCredit>;
  /** Those of them with places of a kind left, so that to take one costs the same however many there are. */
  readonly open: Readonly<Record<PermitKind, Set<UnspentCredit>>>;
  /** Lanes whose jobs it has no room for, as far as a claim has seen that began at this moment. */
  readonly exhausted: Map<number, number>;
  /** When something was given back in it last. Moments are counted, not measured. */
  freedAt: number;
}

type PermitKind = 'slots' | 'prefetch';

export interface CreditClass {
  readonly key: string;
  readonly sessionClass: SessionClass;
  /** Which lanes fit: a pure function of class and lane, computed once. */
  readonly fit: Map<number, boolean>;
  /** Lanes that do not fit for now, and until when. */
  readonly bars: Map<number, number>;
  readonly sessions: Map<string, CreditSession>;
  /** All classes that there are, this one among them. */
  readonly all: ReadonlyMap<string, CreditClass>;
}

/** Which lane places are for, if not all sessions of a class are alike to it. */
export interface ForLane {
  readonly laneId: number;
  /** Name of the worker that its jobs keep to. */
  readonly worker: string | undefined;
}

/**
 * What may be taken: slots alone, or prefetch too, but of no session that jobs of certain lanes wait for a slot of. Those are
 * asked for only when prefetch would be taken.
 */
export type Kinds = 'slots' | 'any' | { readonly exceptFor: () => readonly ForLane[] };

export class UnspentCredits {
  readonly #clock: Clock;
  #classes = new Map<string, CreditClass>();
  #classOf = new Map<string, CreditClass>();
  #nextPrune = 0;
  #moment = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  deposit(sessionId: string, sessionClass: SessionClass, credits: readonly GrantedCredit[], workerName = ''): void {
    const now = this.#clock.now();
    this.#prune(now);
    const until = now + CREDIT_LIFE_MS - CREDIT_MARGIN_MS;
    const session = this.#session(sessionId, sessionClass, workerName);
    for (const { creditId, slots, prefetch } of credits) {
      // A copy that arrives late must not revive what was spent: a known id stays as it is until it ends.
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

  /** Classes with sessions, those served longest ago first: whoever takes places moves to the end. */
  classes(): CreditClass[] {
    const classes = [...this.#classes.values()];
    for (const creditClass of classes) if (creditClass.bars.size > 0) liftBars(creditClass, this.#clock.now());
    return classes;
  }

  /** A session can't run a job of this lane, though it offers to: sessions like it get none of them for a while. */
  bar(sessionId: string, laneId: number): void {
    const creditClass = this.#classOf.get(sessionId);
    if (!creditClass) return;
    creditClass.bars.set(laneId, this.#clock.now() + BAR_MS);
    creditClass.fit.set(laneId, false);
  }

  /** Until when sessions of a class get no jobs of the lane, in milliseconds; undefined: they may get some. */
  barOf(sessionClass: SessionClass, laneId: number): number | undefined {
    const until = this.#classes.get(classKey(sessionClass))?.bars.get(laneId);
    return until !== undefined && until > this.#clock.now() ? until : undefined;
  }

  /** Attempts that credits still alive ask for. */
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

  /** What a claim that begins now sees of sessions may be out of date once it has ended, see `fill`. */
  nextMoment(): number {
    return ++this.#moment;
  }

  /** A claim that began at the moment has found no room for jobs of the lane in these sessions. */
  fill(sessionIds: readonly string[], laneId: number, moment: number): void {
    for (const sessionId of sessionIds)
      this.#classOf.get(sessionId)?.sessions.get(sessionId)?.exhausted.set(laneId, moment);
  }

  /** Something was given back in these sessions, or may have been: in all that are known, where none are named. */
  freeCapacity(sessionIds: Iterable<string> = this.#classOf.keys()): void {
    const moment = this.nextMoment();
    for (const sessionId of sessionIds) {
      const session = this.#classOf.get(sessionId)?.sessions.get(sessionId);
      if (!session) continue;
      session.freedAt = moment;
      session.exhausted.clear();
    }
  }

  /** Takes up to `limit` places of a class, slots before prefetch, one of each session in turn. */
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

  /** As `take`, of one session. */
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

  /** Gives back places that a claim did not fill. */
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

  /** Forgets what has ended: a session that was closed elsewhere is never heard of here again. */
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

  /** Spent credits stay until they end: that is what makes a repeated grant harmless. */
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
      session = { sessionId, workerName, credits: new Map(), open, exhausted: new Map(), freedAt: 0 };
      creditClass.sessions.set(sessionId, session);
    }
    return session;
  }
}

/** Whether it has room, as far as is known here, and is the worker that is wanted. */
function isFor({ exhausted, freedAt, workerName }: CreditSession, forLane: ForLane | undefined): boolean {
  if (!forLane) return true;
  return (exhausted.get(forLane.laneId) ?? -1) < freedAt && (forLane.worker ?? workerName) === workerName;
}

/** Whether a session of the class offers a slot that is for jobs of the lane. */
export function offersSlot({ sessions }: CreditClass, forLane?: ForLane): boolean {
  for (const session of sessions.values()) if (session.open.slots.size > 0 && isFor(session, forLane)) return true;
  return false;
}

/** When the last of the slots ends that a session offers for jobs of the lane; 0: it offers none. */
export function lastSlotUntil(session: CreditSession, forLane?: ForLane): number {
  return isFor(session, forLane) ? Math.max(0, ...[...session.open.slots].map(({ until }) => until)) : 0;
}

export function hasWorker({ sessions }: CreditClass, workerName: string): boolean {
  for (const session of sessions.values()) if (session.workerName === workerName) return true;
  return false;
}

/** Whether a lane fits is found anew once its bar is over. */
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

/** Places of one kind, one of each session in turn, so that no session gets all of a small batch; of its credits the oldest. */
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
