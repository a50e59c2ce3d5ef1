/**
 * Why this replica does not give ready jobs to a free session yet: they prefer another one, or the session's class is
 * barred, since one of its sessions reported that it can't run them.
 */
import { isPreferred } from '../../domain/dispatch/placement.ts';
import type { OpenSession, Preference } from '../../domain/explain/worker-constraints.ts';
import type { Clock } from '../ports/ports.ts';
import type { KnownLane } from './known-lane.ts';
import { type Lanes, patienceOf } from './lanes.ts';
import { type CreditClass, type CreditSession, lastSlotUntil, type UnspentCredits } from './unspent-credits.ts';

/** A round may take a tenth longer than a second. */
const LONGEST_ROUND_MS = 1_100;

export interface PreferencesParts {
  readonly lanes: Pick<Lanes, 'suits'>;
  readonly credits: Pick<UnspentCredits, 'classes' | 'barOf'>;
  readonly clock: Clock;
}

interface Wanted extends Pick<Preference, 'worker' | 'preferred'> {
  readonly isWanted: (session: CreditSession, creditClass: CreditClass) => boolean;
}

export class Preferences {
  readonly #parts: PreferencesParts;

  constructor(parts: PreferencesParts) {
    this.#parts = parts;
  }

  /** The sessions that the lane's jobs wait for; undefined: none, or the lane has no ready jobs known here. */
  of(lane: KnownLane, nowUs: number): Preference | undefined {
    if (lane.head === undefined) return undefined;
    const { sticky, preferred } = lane.needs;
    const worker = sticky?.mode === 'SOFT' ? sticky.worker : undefined;
    const isNamed: Wanted['isWanted'] = ({ workerName }) => workerName === worker;
    const isBetter: Wanted['isWanted'] = (_, { sessionClass }) => isPreferred(sessionClass, lane.needs);
    return (
      (worker === undefined ? undefined : this.#preference(lane, nowUs, { worker, isWanted: isNamed })) ??
      (preferred === undefined ? undefined : this.#preference(lane, nowUs, { preferred, isWanted: isBetter }))
    );
  }

  /** The sessions, with the bars for this lane's jobs applied. */
  withBars(sessions: readonly OpenSession[], { laneId }: KnownLane, nowUs: number): OpenSession[] {
    const { credits } = this.#parts;
    return sessions.map((session) => {
      const until = session.unavailable === undefined ? credits.barOf(session, laneId) : undefined;
      if (until === undefined) return session;
      return { ...session, unavailable: 'barred', barredUntilUs: this.#timeOf(until, nowUs) };
    });
  }

  /** Lasts some rounds, then as long as such a session offers a slot: its loss may not be known yet. */
  #preference(lane: KnownLane, nowUs: number, { isWanted, ...named }: Wanted): Preference | undefined {
    const { lanes, credits, clock } = this.#parts;
    const found = credits
      .classes()
      .filter((creditClass) => lanes.suits(creditClass, lane))
      .flatMap((creditClass) => [...creditClass.sessions.values()].filter((session) => isWanted(session, creditClass)));
    if (found.length === 0) return undefined;
    const patientUntil = clock.now() + patienceOf(lane) * LONGEST_ROUND_MS;
    const forLane = { laneId: lane.laneId, worker: undefined };
    const until = Math.max(patientUntil, ...found.map((session) => lastSlotUntil(session, forLane)));
    if (until <= clock.now()) return undefined;
    const sessionIds = new Set(found.map(({ sessionId }) => sessionId));
    return { ...named, sessionIds, untilUs: this.#timeOf(until, nowUs) };
  }

  /** Converts to the database's clock. */
  #timeOf(ms: number, nowUs: number): number {
    return nowUs + Math.round((ms - this.#parts.clock.now()) * 1_000);
  }
}
