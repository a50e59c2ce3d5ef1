/** Transactions held open on purpose: lanes that are gated while jobs are being assigned from them. */
import { beforeEach, describe, expect, it } from 'vitest';
import { claimJobs } from '../../../server/store/dispatch/claim-jobs.ts';
import { gateLanes } from '../../../server/store/dispatch/gated-lanes.ts';
import type { Database } from '../../../server/store/driver/database.ts';
import { insertJobs } from '../../../server/store/jobs/submit/insert-jobs.ts';
import { type Mutation, plantBugs } from '../../support/databases/database-taps.ts';
import { holdOpen, untilWaitsOrOver } from '../../support/databases/postgres-waits.ts';
import { createStore } from '../../support/store/create-store.ts';
import { emptyTables, sql, useStore } from '../../support/store/store-context.ts';
import {
  assignedCall,
  claimMany,
  claimOf,
  jobsOf,
  makeLane,
  only,
  openWorker,
  readyLane,
  submitMany,
} from '../../support/store/store-fixtures.ts';

const context = useStore('PostgreSQL 18');

beforeEach(() => emptyTables(context));

describe('gating a lane while jobs are being assigned from it', () => {
  const laneLock = 'FOR KEY SHARE OF lanes SKIP LOCKED';
  const withoutLaneLock: Mutation = { of: 'claim_jobs', from: laneLock, to: '' };
  const withoutLaneLockAtInsert: Mutation = {
    of: 'insert_jobs',
    from: 'ORDER BY lane_id FOR KEY SHARE SKIP LOCKED',
    to: '',
  };
  const hold = (laneId: number) =>
    context.database.transaction((session) => gateLanes(session, [laneId], 'queuePaused', true));

  /** Resolves with the jobs that are held when the gate has answered, and with those of a later claim. */
  async function raceClaim(claimer: Database) {
    const { laneId, sessionId } = await readyLane(context, 3);
    const claim = await holdOpen(claimer, (session) => jobsOf(claimJobs(session, claimOf([laneId], sessionId, 3))));
    const holding = hold(laneId);
    const first = await untilWaitsOrOver(context.database, holding);
    await claim.commit();
    await holding;
    return { first, claimed: claim.result.length, later: (await claimMany(context, laneId, sessionId, 3)).length };
  }

  it('waits for the claim in progress', async () => {
    expect(await raceClaim(context.database)).toEqual({ first: 'waits', claimed: 3, later: 0 });
  });

  it('would return before the claim commits without the lock on the lane', async () => {
    expect(await raceClaim(plantBugs(context.database, [withoutLaneLock]))).toMatchObject({ first: 'over' });
  });

  async function raceInsert(submitter: Database) {
    const laneId = await makeLane(context);
    const { sessionId } = await openWorker(context);
    const { call, permits } = assignedCall(laneId, sessionId);
    const insertion = { call, jobs: call.jobs, jobIds: [], existing: [] };
    const submission = await holdOpen(submitter, (session) => insertJobs(session, [insertion], { permits }));
    const holding = hold(laneId);
    const first = await untilWaitsOrOver(context.database, holding);
    await submission.commit();
    await holding;
    return first;
  }

  it('waits for the submission that assigns its jobs', async () => {
    expect(await raceInsert(context.database)).toBe('waits');
  });

  it('would return before the submission commits without the lock at the insert', async () => {
    expect(await raceInsert(plantBugs(context.database, [withoutLaneLockAtInsert]))).toBe('over');
  });

  it('makes a later claim and submission return without waiting and leave the jobs ready', async () => {
    const { laneId, sessionId } = await readyLane(context, 3);
    const { call, permits } = assignedCall(laneId, sessionId);
    const holding = await holdOpen(context.database, (session) => gateLanes(session, [laneId], 'queuePaused', true));
    const claim = claimMany(context, laneId, sessionId, 3);
    expect(await untilWaitsOrOver(context.database, claim)).toBe('over');
    expect(await claim).toEqual([]);
    const submission = context.store.submit([call], permits);
    expect(await untilWaitsOrOver(context.database, submission)).toBe('over');
    expect(await submission).toMatchObject([{ jobs: call.jobs.map(() => ({ assigned: false })) }]);
    await holding.commit();
    expect(await claimMany(context, laneId, sessionId, 3)).toEqual([]);
  });

  it('is seen by a claim that read the lane before and locks it after', async () => {
    const { laneId, sessionId } = await readyLane(context, 3);
    const claimer = plantBugs(context.database, [{ of: 'claim_jobs', from: laneLock, to: 'FOR KEY SHARE OF lanes' }]);
    const holding = await holdOpen(context.database, (session) => gateLanes(session, [laneId], 'queuePaused', true));
    const claim = jobsOf(createStore(claimer).claim(claimOf([laneId], sessionId, 3)));
    expect(await untilWaitsOrOver(context.database, claim)).toBe('waits');
    await holding.commit();
    expect(await claim).toEqual([]);
  });
});

describe('a lane created while its queue is being paused', () => {
  it('waits for the pause and is gated', async () => {
    const first = await makeLane(context, { queue: 'q' });
    const pausing = await holdOpen(context.database, async (session) => {
      await session.run({ name: '', text: "UPDATE queues SET paused = true WHERE name = 'q'" }, []);
      await gateLanes(session, [first], 'queuePaused', true);
    });
    const making = makeLane(context, { queue: 'q' });
    expect(await untilWaitsOrOver(context.database, making)).toBe('waits');
    await pausing.commit();
    const laneId = await making;
    expect(only(await sql(context, `SELECT gates FROM lanes WHERE lane_id = ${laneId}`)).gates).toBe(1);
  });
});

describe('pausing a queue while jobs are being assigned from it', () => {
  const queue = { namespace: 'default', name: 'q' };

  it('returns after the assignment, and nothing is assigned after it, also from a new lane', async () => {
    const laneId = await makeLane(context, { queue: 'q' });
    await submitMany(context, laneId, 3);
    const { sessionId } = await openWorker(context);
    const claim = await holdOpen(context.database, (session) =>
      jobsOf(claimJobs(session, claimOf([laneId], sessionId, 1))),
    );
    const pausing = context.store.queues.pause(queue, '');
    expect(await untilWaitsOrOver(context.database, pausing)).toBe('waits');
    const making = makeLane(context, { queue: 'q' });
    await claim.commit();
    expect(await pausing).toMatchObject({ kind: 'done', queue: { paused: true, counts: { READY: 2, ASSIGNED: 1 } } });
    const made = await making;
    await submitMany(context, made, 1);
    expect(await claimMany(context, laneId, sessionId, 3)).toEqual([]);
    expect(await claimMany(context, made, sessionId, 3)).toEqual([]);
    expect(await context.store.queues.resume(queue)).toMatchObject({ reopened: [laneId, made] });
    expect(await claimMany(context, made, sessionId, 3)).toHaveLength(1);
  });
});
