/** Which lapsed sessions are closed: all of a few, of many only those that stayed silent for one lease more. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeLapsed, type LapsedSession } from '../../server/domain/sessions/lapse.ts';
import { NOON_US } from './arbitraries.ts';

const LEASE_US = 15_000_000;

/** `count` lapsed sessions; how long ago each one's lease ended lies around one lease. */
function lapsed(min: number, max: number): fc.Arbitrary<LapsedSession[]> {
  return fc
    .array(fc.integer({ min: 0, max: 3 * LEASE_US }), { minLength: min, maxLength: max })
    .map((agos) => agos.map((ago, i) => ({ sessionId: `session-${i}`, leaseUntilUs: NOON_US - ago })));
}

const judge = (sessions: readonly LapsedSession[], open: number) => judgeLapsed(sessions, open, NOON_US, LEASE_US);
const ids = (sessions: readonly LapsedSession[]) => sessions.map((session) => session.sessionId);

describe('judgeLapsed', () => {
  it('closes every one of ten or fewer, however many are open', () => {
    fc.assert(
      fc.property(lapsed(0, 10), fc.nat(20), (sessions, others) => {
        expect(judge(sessions, sessions.length + others)).toEqual({ close: ids(sessions), massLapse: false });
      }),
    );
  });

  it('closes every one of a fifth or less of the open ones', () => {
    fc.assert(
      fc.property(lapsed(11, 60), fc.nat(100), (sessions, more) => {
        expect(judge(sessions, sessions.length * 5 + more)).toEqual({ close: ids(sessions), massLapse: false });
      }),
    );
  });

  it('takes more for an outage of our own and closes only those that lapsed for one lease more', () => {
    fc.assert(
      fc.property(lapsed(11, 60), (sessions) => {
        for (const open of [sessions.length, sessions.length * 5 - 1]) {
          const old = sessions.filter((session) => session.leaseUntilUs + LEASE_US <= NOON_US);
          expect(judge(sessions, open)).toEqual({ close: ids(old), massLapse: true });
        }
      }),
    );
  });

  it('spares a session whose lease has not ended, whatever else lapsed', () => {
    fc.assert(
      fc.property(lapsed(0, 30), fc.integer({ min: 1, max: LEASE_US }), (sessions, left) => {
        const alive = { sessionId: 'alive', leaseUntilUs: NOON_US + left };
        expect(judge([...sessions, alive], 31).close).not.toContain('alive');
      }),
    );
  });

  it('depends on nothing but the facts: replicas that look at the same ones in any order decide alike', () => {
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
