/** A drain against the statements that assign, on a real server: after its answer nothing more is assigned. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Permit } from '../../../server/engine/ports/dispatch.ts';
import { claimJobs } from '../../../server/store/dispatch/claim-jobs.ts';
import type { Database, Session } from '../../../server/store/driver/database.ts';
import { insertJobs } from '../../../server/store/jobs/submit/insert-jobs.ts';
import { drainSession } from '../../../server/store/sessions/workers.ts';
import { type Mutation, plantBugs } from '../../support/databases/database-taps.ts';
import { holdOpen, untilWaitsOrOver } from '../../support/databases/postgres-waits.ts';
import { createStore, storeWithin } from '../../support/store/create-store.ts';
import { emptyTables, sql, useStore } from '../../support/store/store-context.ts';
import {
  claimOf,
  jobsOf,
  makeCall,
  makeJob,
  makeLane,
  openWorker,
  submitMany,
} from '../../support/store/store-fixtures.ts';

const context = useStore('PostgreSQL 18');

/** Each assigning statement by its name; it resolves with the number of jobs that the session got. */
const assigning: Record<string, (session: Session, laneId: number, sessionId: string) => Promise<number>> = {
  claim_jobs: async (session, laneId, sessionId) =>
    (await jobsOf(claimJobs(session, claimOf([laneId], sessionId, 3)))).length,
  lock_sessions_for_suspects: async (session, laneId, sessionId) =>
    (await jobsOf(storeWithin(session).claim({ ...claimOf([laneId], sessionId, 3), suspects: true }))).length,
  insert_jobs: async (session, laneId, sessionId) => {
    const call = makeCall([makeJob(laneId)]);
    const permits = new Map<string, Permit>(
      call.jobs.map((job) => [job.jobId, { sessionId, creditId: 1, prefetch: false }]),
    );
    const inserted = await insertJobs(session, [{ call, jobs: call.jobs, jobIds: [], existing: [] }], { permits });
    return inserted.openSessions.size;
  },
};
const names = Object.keys(assigning);

function assigned(name: string, session: Session, laneId: number, sessionId: string): Promise<number> {
  return (assigning[name] as (typeof assigning)[string])(session, laneId, sessionId);
}

/** A lane of ready suspects, so that each of the statements finds jobs. */
async function prepare(): Promise<{ laneId: number; sessionId: string }> {
  const laneId = await makeLane(context, { suspect: true });
  await submitMany(context, laneId, 3);
  await sql(context, 'UPDATE job_runs SET consecutive_losses = 2');
  return { laneId, sessionId: (await openWorker(context)).sessionId };
}

/** Makes the statement wait between its snapshot and its lock on the session. */
function waitingFor(lock: number, name: string): Mutation {
  const from = 'AND state IS NOT DISTINCT FROM 1 AND NOT drain_wanted';
  const inserting = 'AND state IS NOT DISTINCT FROM 1\n    AND NOT drain_wanted';
  const permit = name === 'insert_jobs' ? inserting : from;
  return { of: name, from: permit, to: `AND pg_advisory_xact_lock(${lock}) IS NOT NULL ${permit}` };
}

/** Held until `commit`. */
const holdAdvisoryLock = (lock: number) =>
  holdOpen(context.database, (session) => session.run({ name: '', text: `SELECT pg_advisory_xact_lock(${lock})` }, []));

const heldBy = async (sessionId: string) => (await context.store.readHeldJobs(sessionId, 10)).length;

beforeEach(() => emptyTables(context));

/** The drain begins while the assignment is not committed. */
async function race(name: string, drainer: Database) {
  const { laneId, sessionId } = await prepare();
  const open = await holdOpen(context.database, (session) => assigned(name, session, laneId, sessionId));
  const drain = createStore(drainer).drainSession('default', sessionId);
  const first = await untilWaitsOrOver(context.database, drain);
  const heldAtAnswer = first === 'over' ? await heldBy(sessionId) : undefined;
  await open.commit();
  await drain;
  return { first, assigned: open.result, heldAtAnswer, later: await heldBy(sessionId) };
}

// The lock of a claim of suspects keeps out every update of the row, whatever the drain locks.
it.each(['claim_jobs', 'insert_jobs'])('a drain would answer before %s with a weaker lock', async (name) => {
  const weaker = plantBugs(context.database, [{ of: 'drain_session', from: 'FOR UPDATE', to: 'FOR NO KEY UPDATE' }]);
  const { first, heldAtAnswer, later } = await race(name, weaker);
  expect({ first, heldAtAnswer }).toEqual({ first: 'over', heldAtAnswer: 0 });
  expect(later).toBeGreaterThan(0);
});

describe.each(names)('a drain against %s', (name) => {
  it('waits for an assignment in progress', async () => {
    const { first, assigned, later } = await race(name, context.database);
    expect({ first, assigned, later }).toEqual({ first: 'waits', assigned: expect.any(Number), later: assigned });
    expect(assigned).toBeGreaterThan(0);
  });

  it('makes an assignment that begins later return nothing without waiting', async () => {
    const { laneId, sessionId } = await prepare();
    const drain = await holdOpen(context.database, (session) => drainSession(session, 'default', sessionId));
    const late = context.database.transaction((session) => assigned(name, session, laneId, sessionId));
    expect(await untilWaitsOrOver(context.database, late)).toBe('over');
    expect(await late).toBe(0);
    await drain.commit();
    expect(await heldBy(sessionId)).toBe(0);
  });

  it.each([
    ['was drained', 0],
    ['sent a heartbeat and was drained', 1],
    ['was drained and sent a heartbeat', 2],
  ] as const)('makes an assignment that read the session before it %s return nothing', async (_what, order) => {
    const lock = 7_001 + order;
    const { laneId, sessionId } = await prepare();
    const renew = () => context.store.renewSessions([{ sessionId, pingEcho: 0, draining: false }], 60_000, 0);
    const gate = await holdAdvisoryLock(lock);
    const slow = plantBugs(context.database, [waitingFor(lock, name)]);
    const late = slow.transaction((session) => assigned(name, session, laneId, sessionId));
    expect(await untilWaitsOrOver(context.database, late)).toBe('waits');
    if (order === 1) await renew();
    await context.store.drainSession('default', sessionId);
    if (order === 2) await renew();
    await gate.commit();
    expect(await late).toBe(0);
    expect(await heldBy(sessionId)).toBe(0);
  });
});
