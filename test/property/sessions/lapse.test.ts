/** Which lapsed sessions are closed: all if they are few; of many only those that stayed silent for one more lease. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeLapsed, type LapsedSession } from '../../../server/domain/sessions/lapse.ts';
import { NOON_US } from '../base/arbitraries.ts';

const LEASE_US = 15_000_000;

/** `count` lapsed sessions. Their leases ended around one lease ago. */
function lapsed(min: number, max: number): fc.Arbitrary<LapsedSession[]> {
  return fc
    .array(fc.integer({ min: 0, max: 3 * LEASE_US }), { minLength: min, maxLength: max })
    .map((agos) => agos.map((ago, i) => ({ sessionId: `session-${i}`, leaseUntilUs: NOON_US - ago })));
}

const judge = (sessions: readonly LapsedSession[], openCount: number, lapsedCount = sessions.length) =>
  judgeLapsed(sessions, { lapsedCount, openCount, nowUs: NOON_US, leaseUs: LEASE_US });
const ids = (sessions: readonly LapsedSession[]) => sessions.map((session) => session.sessionId);

describe('judgeLapsed', () => {
  it('closes all of ten or fewer, however many are open', () => {
    fc.assert(
      fc.property(lapsed(0, 10), fc.nat(20), (sessions, others) => {
        expect(judge(sessions, sessions.length + others)).toEqual({ close: ids(sessions), massLapse: false });
      }),
    );
  });

  it('closes all of up to a fifth of the open ones', () => {
    fc.assert(
      fc.property(lapsed(11, 60), fc.nat(100), (sessions, more) => {
        expect(judge(sessions, sessions.length * 5 + more)).toEqual({ close: ids(sessions), massLapse: false });
      }),
    );
  });

  it('assumes an outage of Muster for more, and closes only those that lapsed one lease longer', () => {
    fc.assert(
      fc.property(lapsed(11, 60), (sessions) => {
        for (const open of [sessions.length, sessions.length * 5 - 1]) {
          const old = sessions.filter((session) => session.leaseUntilUs + LEASE_US <= NOON_US);
          expect(judge(sessions, open)).toEqual({ close: ids(old), massLapse: true });
        }
      }),
    );
  });

  it('goes by the number of all lapsed sessions, of which it judges a page', () => {
    fc.assert(
      fc.property(lapsed(1, 10), (sessions) => {
        const old = sessions.filter((session) => session.leaseUntilUs + LEASE_US <= NOON_US);
        expect(judge(sessions, 5_600, 1_121)).toEqual({ close: ids(old), massLapse: true });
      }),
    );
  });

  it('does not close a session whose lease has not ended, whatever else lapsed', () => {
    fc.assert(
      fc.property(lapsed(0, 30), fc.integer({ min: 1, max: LEASE_US }), (sessions, left) => {
        const alive = { sessionId: 'alive', leaseUntilUs: NOON_US + left };
        expect(judge([...sessions, alive], 31).close).not.toContain('alive');
      }),
    );
  });

  it('depends only on its arguments, so replicas with the same sessions in any order decide the same', () => {
    const facts = lapsed(0, 40).chain((sessions) =>
      fc.tuple(
        fc.constant(sessions),
        fc.shuffledSubarray(sessions, { minLength: sessions.length }),
        fc.integer({ min: sessions.length, max: 400 }),
      ),
    );
    fc.assert(
      fc.property(facts, ([here, there, open]) => {
        const [one, other] = [judge(here, open), judge(there, open)];
        expect(one.massLapse).toBe(other.massLapse);
        expect([...one.close].sort()).toEqual([...other.close].sort());
        expect(judge(here, open)).toEqual(one);
      }),
    );
  });
});
