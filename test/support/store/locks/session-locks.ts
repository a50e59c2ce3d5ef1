/** Operations on sessions and the attempts that they hold. */
import { decideSessionEnd } from '../../../../server/domain/jobs/decide.ts';
import { type Operation, turned } from './locked-rows.ts';

export const sessionLocks: Readonly<Record<string, Operation>> = {
  'change by session': async (store, isReversed, { sessionIds }) => {
    for (const sessionId of turned(sessionIds, isReversed)) {
      await store.change({ by: 'session', sessionId, limit: 1_000 }, (run, nowUs) =>
        decideSessionEnd(run, 'LAPSE', { nowUs, random: 0.5 }),
      );
    }
  },
  renew: (store, isReversed, { sessionIds }) =>
    store.renewSessions(
      turned(sessionIds, isReversed).map((sessionId) => ({ sessionId, pingEcho: 1, draining: false })),
      1_000,
      0,
    ),
  shorten: (store) => store.shortenLeases(20_000, 0),
  close: (store, isReversed, { sessionIds }) => store.closeSessions(turned(sessionIds, isReversed), 'LAPSE', 0),
  drain: async (store, isReversed, { sessionIds }) => {
    for (const sessionId of turned(sessionIds, isReversed)) await store.drainSession('default', sessionId);
  },
  end: (store, isReversed, { sessionIds }) => store.endSessions(turned(sessionIds, isReversed)),
};
