/** Concurrent claims of jobs that demand resources, on a real server: no resource of a session is given out twice. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Database } from '../../../server/store/driver/database.ts';
import { closeSessions } from '../../../server/store/sessions/sessions.ts';
import { type Mutation, plantBugs } from '../../support/databases/database-taps.ts';
import { holdOpen } from '../../support/databases/postgres-waits.ts';
import { createStore, storeWithin } from '../../support/store/create-store.ts';
import { emptyTables, useStore } from '../../support/store/store-context.ts';
import { demandingLane } from '../../support/store/store-demands.ts';
import { jobsOf, openWorker, submitMany } from '../../support/store/store-fixtures.ts';

const context = useStore('PostgreSQL 18');
const withoutLock: Mutation = { of: 'lock_sessions_for_demands', from: 'FOR NO KEY UPDATE SKIP LOCKED', to: '' };
const withoutSnapshot: Mutation = {
  of: 'read_taken_resources',
  from: 'WHERE r.session_id = i.session_id',
  to: 'WHERE r.session_id = i.session_id AND false',
};

beforeEach(() => emptyTables(context));

async function prepare() {
  const laneId = await demandingLane(context, { gpu: 1 });
  await submitMany(context, laneId, 9);
  const { sessionId } = await openWorker(context, { resources: { gpu: 2 } });
  const permits = Array.from({ length: 2 }, () => ({ sessionId, creditId: 1, prefetch: false }));
  return { sessionId, claim: { permits, maxBytes: 8 << 20, lanes: [{ laneId, cursor: 0 }], needs: { gpu: 1 } } };
}

describe('a claim that is open while another replica claims for the same session', () => {
  /** Makes three claims for the session: the second starts before the first has committed, the third after that. */
  async function race(second: Database) {
    const { claim } = await prepare();
    const open = await holdOpen(context.database, (session) => jobsOf(storeWithin(session).claim(claim)));
    const concurrent = await jobsOf(createStore(second).claim(claim));
    await open.commit();
    const after = await jobsOf(createStore(second).claim(claim));
    return { first: open.result.length, concurrent: concurrent.length, after: after.length };
  }

  it('takes all capacity: a concurrent claim and a later one get nothing', async () => {
    expect(await race(context.database)).toEqual({ first: 2, concurrent: 0, after: 0 });
  });

  it('would not take all without the lock on the session', async () => {
    expect(await race(plantBugs(context.database, [withoutLock]))).toMatchObject({ first: 2, concurrent: 2 });
  });

  it('would not take all without reading what the session already holds', async () => {
    expect(await race(plantBugs(context.database, [withoutSnapshot]))).toMatchObject({ concurrent: 0, after: 2 });
  });
});

describe('a session that is being closed', () => {
  it('gets no jobs, and no claim waits for it', async () => {
    const { sessionId, claim } = await prepare();
    const closing = await holdOpen(context.database, (session) => closeSessions(session, [sessionId], 'CLOSE'));
    const concurrent = await jobsOf(context.store.claim(claim));
    await closing.commit();
    const after = await jobsOf(context.store.claim(claim));
    expect([concurrent.length, after.length]).toEqual([0, 0]);
  });
});
