/**
 * Two transactions at once on a real server, one held open: claims, closes, heartbeats and reports against each other.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { decideSessionEnd } from '../../../server/domain/jobs/decide.ts';
import { claimJobs } from '../../../server/store/dispatch/claim-jobs.ts';
import { type Database, within } from '../../../server/store/driver/database.ts';
import { insertJobs } from '../../../server/store/jobs/submit/insert-jobs.ts';
import { writeCompletions } from '../../../server/store/sessions/complete-attempts.ts';
import { saveProgress } from '../../../server/store/sessions/held-runs.ts';
import { closeSessions, renewSessions } from '../../../server/store/sessions/sessions.ts';
import { type Mutation, plantBugs } from '../../support/databases/database-taps.ts';
import { holdOpen, untilWaitsOrOver } from '../../support/databases/postgres-waits.ts';
import { createStore, storeWithin } from '../../support/store/create-store.ts';
import { emptyTables, sql, useStore } from '../../support/store/store-context.ts';
import {
  assignedCall,
  claimMany,
  claimOf,
  completionOf,
  holdOne,
  jobsOf,
  keyOf,
  lapse,
  makeLane,
  only,
  openWorker,
  payload,
  readRow,
  readyLane,
  submitMany,
} from '../../support/store/store-fixtures.ts';

const context = useStore('PostgreSQL 18');

const withoutSessionLock: Mutation = { of: 'claim_jobs', from: 'FOR KEY SHARE SKIP LOCKED', to: '' };
const withoutLockAtInsert: Mutation = { ...withoutSessionLock, of: 'insert_jobs' };
const leaseCondition = `l.lease_until + $3 * interval '1 ms' <= now.time`;
const withoutRecheck: Mutation = { of: 'close_sessions', from: leaseCondition, to: '$3 IS NOT NULL' };
const leaseBeforeLock: Mutation = {
  of: 'close_sessions',
  from: leaseCondition,
  to: leaseCondition.replace(
    'l.lease_until',
    '(SELECT o.lease_until FROM sessions o WHERE o.session_id = l.session_id)',
  ),
};

/** Ends a session as a replica does. Resolves with the requeued jobs. */
async function endSession(sessionId: string): Promise<string[]> {
  await context.store.closeSessions([sessionId], 'CLOSE');
  const freed = await context.store.change({ by: 'session', sessionId, limit: 1_000 }, (run, nowUs) =>
    decideSessionEnd(run, 'CLOSE', { nowUs, random: 0 }),
  );
  await context.store.endSessions([sessionId]);
  return freed.map((change) => change.run.jobId);
}

/** Counts attempts that no session will ever report or requeue. */
async function countStuck(): Promise<number> {
  const rows = await sql(
    context,
    'SELECT count(*) AS n FROM job_runs JOIN sessions USING (session_id) WHERE sessions.state = 3',
  );
  return only(rows).n;
}

beforeEach(() => emptyTables(context));

describe('a claim in progress while another replica ends the session', () => {
  async function race(claimer: Database) {
    const { laneId, sessionId } = await readyLane(context, 3);
    const claim = await holdOpen(claimer, (session) => jobsOf(claimJobs(session, claimOf([laneId], sessionId, 3))));
    const ending = endSession(sessionId);
    const first = await untilWaitsOrOver(context.database, ending);
    await claim.commit();
    return { first, claimed: claim.result.map((job) => job.jobId), freed: await ending, stuck: await countStuck() };
  }

  it('makes the close wait, and its jobs are requeued', async () => {
    const { first, claimed, freed, stuck } = await race(context.database);
    expect(claimed).toHaveLength(3);
    expect({ first, freed: freed.sort(), stuck }).toEqual({ first: 'waits', freed: claimed.sort(), stuck: 0 });
  });

  it('would leave jobs stuck forever without the lock on the session', async () => {
    const { first, freed, stuck } = await race(plantBugs(context.database, [withoutSessionLock]));
    expect({ first, freed, stuck }).toEqual({ first: 'over', freed: [], stuck: 3 });
  });
});

describe('a submission that assigns its jobs while another replica ends the session', () => {
  async function race(submitter: Database) {
    const laneId = await makeLane(context);
    const { sessionId } = await openWorker(context);
    const { call, permits } = assignedCall(laneId, sessionId);
    const insertion = { call, jobs: call.jobs, jobIds: [], existing: [] };
    const submission = await holdOpen(submitter, (session) => insertJobs(session, [insertion], { permits }));
    const ending = endSession(sessionId);
    const first = await untilWaitsOrOver(context.database, ending);
    await submission.commit();
    return { first, freed: (await ending).length, stuck: await countStuck() };
  }

  it('makes the close wait, and its jobs are requeued', async () => {
    expect(await race(context.database)).toEqual({ first: 'waits', freed: 3, stuck: 0 });
  });

  it('would leave jobs stuck forever without the lock on the session', async () => {
    const broken = plantBugs(context.database, [withoutLockAtInsert]);
    expect(await race(broken)).toEqual({ first: 'over', freed: 0, stuck: 3 });
  });

  it('leaves its jobs ready without waiting if the close came first', async () => {
    const laneId = await makeLane(context);
    const { sessionId } = await openWorker(context);
    const { call, permits } = assignedCall(laneId, sessionId);
    const closing = await holdOpen(context.database, (session) => closeSessions(session, [sessionId], 'CLOSE'));
    const submission = context.store.submit([call], permits);
    expect(await untilWaitsOrOver(context.database, submission)).toBe('over');
    expect(await submission).toMatchObject([{ jobs: call.jobs.map(() => ({ assigned: false })) }]);
    await closing.commit();
  });
});

describe('a claim while the close of the session is in progress', () => {
  async function race(claimer: Database) {
    const { laneId, sessionId } = await readyLane(context, 3);
    const closing = await holdOpen(context.database, (session) => closeSessions(session, [sessionId], 'CLOSE'));
    const claim = jobsOf(createStore(claimer).claim(claimOf([laneId], sessionId, 3)));
    const first = await untilWaitsOrOver(context.database, claim);
    const claimed = (await claim).length;
    await closing.commit();
    return { first, claimed };
  }

  it('gets nothing and does not wait', async () => {
    expect(await race(context.database)).toEqual({ first: 'over', claimed: 0 });
  });

  it('would get jobs without the lock on the session', async () => {
    expect(await race(plantBugs(context.database, [withoutSessionLock]))).toEqual({ first: 'over', claimed: 3 });
  });

  it('still serves the other sessions', async () => {
    const { laneId, sessionId } = await readyLane(context, 3);
    const other = await openWorker(context);
    const closing = await holdOpen(context.database, (session) => closeSessions(session, [sessionId], 'CLOSE'));
    const { permits: closed, ...claim } = claimOf([laneId], sessionId, 2);
    const { permits: open } = claimOf([laneId], other.sessionId, 2);
    const claimed = await jobsOf(context.store.claim({ ...claim, permits: [...closed, ...open] }));
    expect(claimed.map((job) => job.sessionId)).toEqual([other.sessionId, other.sessionId]);
    await closing.commit();
  });
});

describe('a heartbeat in progress while a sweep closes the lapsed session', () => {
  async function race(closer: Database) {
    const { sessionId } = await openWorker(context);
    await lapse(context, sessionId, 5_000);
    const beat = await holdOpen(context.database, (session) =>
      renewSessions(session, [{ sessionId, pingEcho: 0, draining: false }], 60_000, 0),
    );
    const closing = createStore(closer).closeSessions([sessionId], 'LAPSE', 0);
    const first = await untilWaitsOrOver(context.database, closing);
    await beat.commit();
    const closed = await closing;
    return { first, closed: closed.length, state: only(await context.store.readSessions([sessionId])).state };
  }

  it('saves the session, because the sweep reads the lease again under the lock', async () => {
    expect(await race(context.database)).toEqual({ first: 'waits', closed: 0, state: 'OPEN' });
  });

  it.each([
    ['is not read again', withoutRecheck],
    ['is read as it was before the lock', leaseBeforeLock],
  ])('would not save the session if the lease %s', async (_what, mutation) => {
    expect(await race(plantBugs(context.database, [mutation]))).toEqual({
      first: 'waits',
      closed: 1,
      state: 'CLOSING',
    });
  });

  it('loses to a close that commits first', async () => {
    const { sessionId } = await openWorker(context);
    await lapse(context, sessionId, 5_000);
    const closing = await holdOpen(context.database, (session) => closeSessions(session, [sessionId], 'LAPSE', 0));
    const beat = context.store.renewSessions([{ sessionId, pingEcho: 0, draining: false }], 60_000, 0);
    expect(await untilWaitsOrOver(context.database, beat)).toBe('waits');
    await closing.commit();
    expect(await beat).toEqual([]);
  });
});

describe('a change of two leases that waits for the lock of the first session', () => {
  const beat = (sessionId: string) => ({ sessionId, pingEcho: 0, draining: false });

  it.each([
    ['heartbeats', (ids: string[]) => context.store.renewSessions(ids.map(beat), 10, 0)],
    ['a cut of leases that are too long', () => context.store.shortenLeases(10, 0)],
  ])('%s: never shortens that of the other, renewed two leases later', async (_what, change) => {
    const opened = [await openWorker(context, { leaseMs: 10 }), await openWorker(context, { leaseMs: 10 })];
    const [first, second] = opened.map(({ sessionId }) => sessionId).sort() as [string, string];
    await sql(context, `UPDATE sessions SET lease_until = lease_until + interval '1 h'`);
    const lock = { name: '', text: `SELECT FROM sessions WHERE session_id = '${first}' FOR UPDATE` };
    const held = await holdOpen(context.database, (session) => session.run(lock, []));
    const waiting = change([first, second]);
    expect(await untilWaitsOrOver(context.database, waiting)).toBe('waits');
    await sql(context, 'SELECT pg_sleep(0.03)');
    await context.store.renewSessions([beat(second)], 10, 0);
    const { leaseUntilUs } = only(await context.store.readSessions([second]));
    await held.commit();
    await waiting;
    expect(only(await context.store.readSessions([second])).leaseUntilUs).toBeGreaterThanOrEqual(leaseUntilUs);
  });
});

describe('heartbeats and claims of one session', () => {
  it('never wait for each other', async () => {
    const { laneId, sessionId } = await readyLane(context, 2);
    const beats = [{ sessionId, pingEcho: 0, draining: false }];
    const claim = await holdOpen(context.database, (session) =>
      jobsOf(claimJobs(session, claimOf([laneId], sessionId, 1))),
    );
    expect(await untilWaitsOrOver(context.database, context.store.renewSessions(beats, 60_000, 0))).toBe('over');
    await claim.commit();
    const beat = await holdOpen(context.database, (session) => renewSessions(session, beats, 60_000, 0));
    expect(await claimMany(context, laneId, sessionId, 1)).toHaveLength(1);
    await beat.commit();
  });
});

describe('a report in progress while the session ends', () => {
  it('counts, and the job is not requeued', async () => {
    const job = await holdOne(context);
    const report = await holdOpen(context.database, (session) => writeCompletions(session, [completionOf(job)], false));
    const ending = endSession(job.sessionId);
    expect(await untilWaitsOrOver(context.database, ending)).toBe('waits');
    await report.commit();
    expect(await ending).toEqual([]);
    expect(await context.store.readJob('default', job.jobId)).toMatchObject({ state: 'SUCCEEDED' });
    expect(await readRow(context, 'job_runs', job.jobId)).toBeUndefined();
  });

  it('is refused if the job was requeued first', async () => {
    const job = await holdOne(context);
    await context.store.closeSessions([job.sessionId], 'CLOSE');
    await sql(context, `UPDATE sessions SET state = 1, close_cause = NULL WHERE session_id = '${job.sessionId}'`);
    const freeing = await holdOpen(context.database, (session) =>
      createStore(within(session)).change({ by: 'session', sessionId: job.sessionId, limit: 9 }, (run, nowUs) =>
        decideSessionEnd(run, 'CLOSE', { nowUs, random: 0 }),
      ),
    );
    const report = context.store.complete([completionOf(job)]);
    expect(await untilWaitsOrOver(context.database, report)).toBe('waits');
    await freeing.commit();
    expect(await report).toEqual([]);
    expect(await context.store.readJob('default', job.jobId)).toMatchObject({ state: 'READY' });
  });
});

describe('a checkpoint in progress while the job is completed', () => {
  it('is not left behind', async () => {
    const job = await holdOne(context);
    const change = {
      ...keyOf(job),
      sequence: 1,
      fraction: undefined,
      message: undefined,
      checkpoint: payload('state'),
    };
    const saving = await holdOpen(context.database, (session) => saveProgress(session, [change], 0));
    const report = context.store.complete([completionOf(job)]);
    expect(await untilWaitsOrOver(context.database, report)).toBe('waits');
    await saving.commit();
    expect(await report).toMatchObject([keyOf(job)]);
    expect(await readRow(context, 'job_checkpoints', job.jobId)).toBeUndefined();
  });
});

describe('a claim of suspects in progress while another replica claims some for the same session', () => {
  const withoutSuspectLock: Mutation = {
    of: 'lock_sessions_for_suspects',
    from: 'FOR NO KEY UPDATE SKIP LOCKED',
    to: '',
  };
  const withoutSnapshot: Mutation = {
    of: 'find_sessions_without_suspect',
    from: 'r.consecutive_losses >= 2',
    to: 'r.consecutive_losses >= 2 AND false',
  };

  /**
   * Makes two claims of suspects for the session, the second before the first has committed; resolves with their
   * counts.
   */
  async function race(second: Database) {
    const laneId = await makeLane(context, { suspect: true });
    await submitMany(context, laneId, 3);
    await sql(context, 'UPDATE job_runs SET consecutive_losses = 2');
    const { sessionId } = await openWorker(context);
    const claim = claimOf([laneId], sessionId, 1);
    const open = await holdOpen(context.database, (session) =>
      jobsOf(storeWithin(session).claim({ ...claim, suspects: true })),
    );
    const concurrent = await jobsOf(createStore(second).claim({ ...claim, suspects: true }));
    await open.commit();
    const after = await jobsOf(createStore(second).claim({ ...claim, suspects: true }));
    return { first: open.result.length, concurrent: concurrent.length, after: after.length };
  }

  it('lets a concurrent claim and a later one get none', async () => {
    expect(await race(context.database)).toEqual({ first: 1, concurrent: 0, after: 0 });
  });

  it('would let a concurrent claim get one without the lock on the session', async () => {
    expect(await race(plantBugs(context.database, [withoutSuspectLock]))).toMatchObject({ concurrent: 1 });
  });

  it('would let a later claim get one without reading what the session holds', async () => {
    expect(await race(plantBugs(context.database, [withoutSnapshot]))).toMatchObject({ concurrent: 0, after: 1 });
  });
});
