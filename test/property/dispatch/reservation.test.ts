/** Big jobs do not starve behind small ones: a session is reserved for them, and the wait is bounded. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  fitCounts,
  isAlive,
  RESERVATION_LIFE_MS,
  RESERVE_AFTER_MS,
  type Reservation,
  reserve,
  type SessionCapacity,
} from '../../../server/domain/dispatch/reservation.ts';
import { fitCount } from '../../../server/domain/dispatch/resources.ts';

const SECOND_US = 1_000_000;

interface Running {
  readonly session: number;
  readonly takes: number;
  readonly endsAt: number;
}

interface World {
  /** The amount of the resource in each session. */
  readonly totals: readonly number[];
  /** The amount that a small job takes, and its run time. */
  readonly small: { readonly takes: number; readonly seconds: number };
  readonly big: number;
  /** Small jobs of the sessions start one after the other, so that they never end together. */
  readonly stagger: number;
}

const world: fc.Arbitrary<World> = fc
  .record({
    totals: fc.array(fc.integer({ min: 4, max: 12 }), { minLength: 1, maxLength: 4 }),
    small: fc.record({ takes: fc.integer({ min: 1, max: 2 }), seconds: fc.integer({ min: 2, max: 20 }) }),
    stagger: fc.integer({ min: 1, max: 3 }),
  })
  .map((given) => ({ ...given, big: Math.max(...given.totals) }));

/**
 * An endless stream of small jobs, with a claim for the big one first in each second. Returns the second at which the
 * big one starts, or undefined for never.
 */
function startOfBig(
  { totals, small, big, stagger }: World,
  seconds: number,
  withReservation: boolean,
): number | undefined {
  let running: Running[] = [];
  let own: Reservation | undefined;
  const capacityIn = (session: number): Pick<SessionCapacity, 'sessionId' | 'resources' | 'taken'> => ({
    sessionId: String(session),
    resources: { gpu: totals[session] as number },
    taken: running.filter((one) => one.session === session).map((one) => ({ resources: { gpu: one.takes }, jobs: 1 })),
  });
  for (let now = 0; now < seconds; now++) {
    running = running.filter(({ endsAt }) => endsAt > now);
    const fits = totals.map((_, session) => ({ ...capacityIn(session), isReserved: false }));
    // Begins when every session is busy: a free session at the start would prove nothing.
    if (now >= small.seconds) {
      if ([...fitCounts({ gpu: big }, fits).values()].some((space) => space > 0)) return now - small.seconds;
      own = reserve(
        own,
        { gpu: big },
        fits.filter(({ resources }) => (resources.gpu ?? 0) >= big),
        now * SECOND_US,
      );
    }
    for (const [session] of totals.entries()) {
      if (withReservation && own && isAlive(own, now * SECOND_US) && own.sessionId === String(session)) continue;
      // One per second: as each ends at another time, there is never a gap as large as the big job.
      if (now % stagger !== 0 && now >= small.seconds) continue;
      const { resources, taken } = capacityIn(session);
      if (fitCount({ gpu: small.takes }, resources, taken) > 0)
        running.push({ session, takes: small.takes, endsAt: now + small.seconds + (session % 2) });
    }
  }
  return undefined;
}

describe('a job that takes a whole session, behind an endless stream of small ones,', () => {
  it('starts once the small jobs have ended that ran when its long wait was noticed', () => {
    fc.assert(
      fc.property(world, (given) => {
        const bound = RESERVE_AFTER_MS / 1_000 + given.small.seconds + 2;
        expect(startOfBig(given, given.small.seconds + bound + 1, true)).toBeLessThanOrEqual(bound);
      }),
      { numRuns: 500 },
    );
  });

  it('would starve in some cases without a reserved session', () => {
    const starved = fc
      .sample(world, { numRuns: 300, seed: 1 })
      .filter((given) => startOfBig(given, 600, false) === undefined);
    expect(starved.length).toBeGreaterThan(30);
  });
});

describe('the reservation for a lane', () => {
  const empty = (sessionId: string, isReserved = false): SessionCapacity => ({
    sessionId,
    resources: { gpu: 4 },
    taken: [{ resources: { gpu: 1 }, jobs: 1 }],
    isReserved,
  });
  const sessions = [empty('a', true), empty('b'), empty('c')];

  it('begins anew when the lane has asked for nothing for a while', () => {
    const old = { sinceUs: 0, askedUs: 0, sessionId: 'b' };
    const nowUs = RESERVATION_LIFE_MS * 1_000;
    expect(reserve(old, { gpu: 4 }, sessions, nowUs)).toEqual({ sinceUs: nowUs, askedUs: nowUs, sessionId: undefined });
  });

  it('gets no session that is reserved for another lane, and keeps its own', () => {
    const own = { sinceUs: 0, askedUs: 4 * SECOND_US, sessionId: undefined };
    const first = reserve(own, { gpu: 4 }, sessions, 5 * SECOND_US);
    expect(first.sessionId).toBe('b');
    expect(reserve(first, { gpu: 4 }, [empty('c')], 6 * SECOND_US).sessionId).toBe('b');
    expect(reserve(own, { gpu: 4 }, [empty('a', true)], 5 * SECOND_US).sessionId).toBeUndefined();
  });

  it('leaves nothing of the session to others', () => {
    expect([...fitCounts({ gpu: 1 }, sessions)]).toEqual([
      ['a', 0],
      ['b', 3],
      ['c', 3],
    ]);
  });
});
