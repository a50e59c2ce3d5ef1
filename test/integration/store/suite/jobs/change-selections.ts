/** Changes by each selection: by attempts, by jobs, by session, by due time. */
import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { definitionDefaults } from '../../../../../server/domain/definitions/definition.ts';
import { decideCancel, decideSessionEnd } from '../../../../../server/domain/jobs/decide.ts';
import { decideDue } from '../../../../../server/domain/jobs/decide-due.ts';
import type { OpenRun } from '../../../../../server/domain/jobs/run.ts';
import type { Selection } from '../../../../../server/engine/ports/jobs.ts';
import { FAR_US } from '../../../../support/store/far.ts';
import { emptyTables, type StoreContext, sql } from '../../../../support/store/store-context.ts';
import {
  claimMany,
  holdMany,
  holdOne,
  keyOf,
  makeCall,
  makeJob,
  makeLane,
  only,
  openWorker,
  submitMany,
} from '../../../../support/store/store-fixtures.ts';

const policy = definitionDefaults.retryPolicy;

export function changeSelectionsSuite(context: StoreContext): void {
  /** Loads the jobs of a selection without a change. */
  async function lock(selection: Selection): Promise<OpenRun[]> {
    const runs: OpenRun[] = [];
    const changes = await context.store.change(selection, (run) => {
      runs.push(run);
      return undefined;
    });
    expect(changes).toEqual([]);
    return runs;
  }

  describe('change by attempts', () => {
    it('takes only attempts that match job, attempt and session', async () => {
      const [job, other] = await holdMany(context, 2);
      if (!job || !other) throw new Error('two jobs were claimed');
      const stranger = await openWorker(context);
      const wrong = [
        { ...job, attempt: 2 },
        { ...job, sessionId: stranger.sessionId },
        { ...keyOf(job), jobId: randomUUID() },
      ];
      expect(await lock({ by: 'attempts', attempts: wrong })).toEqual([]);
      expect((await lock({ by: 'attempts', attempts: [...wrong, other] })).map((run) => run.jobId)).toEqual([
        other.jobId,
      ]);
    });

    it('takes no attempts of a session that is not open', async () => {
      const job = await holdOne(context);
      await context.store.closeSessions([job.sessionId], 'CLOSE');
      expect(await lock({ by: 'attempts', attempts: [job] })).toEqual([]);
    });

    it('works in the order of the ids', async () => {
      const jobs = await holdMany(context, 20);
      const runs = await lock({ by: 'attempts', attempts: [...jobs].sort((a, b) => (a.jobId < b.jobId ? 1 : -1)) });
      expect(runs.map((run) => run.jobId)).toEqual(jobs.map((job) => job.jobId).sort());
    });
  });

  describe('change by jobs', () => {
    it('takes open jobs of the namespace in any state', async () => {
      const laneId = await makeLane(context, { namespace: 'tenant' });
      const ids = await submitMany(context, laneId, 3);
      const foreign = await submitMany(context, await makeLane(context), 1);
      const { sessionId } = await openWorker(context, { namespace: 'tenant' });
      const held = only(await claimMany(context, laneId, sessionId, 1));
      const runs = await lock({ by: 'jobs', namespace: 'tenant', jobIds: [...ids, ...foreign, randomUUID()] });
      expect(runs.map((run) => run.jobId)).toEqual([...ids].sort());
      expect(runs.find((run) => run.jobId === held.jobId)?.state).toBe('ASSIGNED');
      expect(await lock({ by: 'jobs', namespace: 'default', jobIds: ids })).toEqual([]);
    });

    it('cancels at once if no session holds the job, and else by a request', async () => {
      const laneId = await makeLane(context);
      const ids = await submitMany(context, laneId, 2);
      const { sessionId } = await openWorker(context);
      const held = only(await claimMany(context, laneId, sessionId, 1));
      const cancel = () =>
        context.store.change({ by: 'jobs', namespace: 'default', jobIds: ids }, (run, nowUs) =>
          decideCancel(run, 'enough', 5_000, { nowUs, random: 0 }),
        );
      expect(await cancel()).toHaveLength(2);
      expect(await context.store.readJob('default', held.jobId)).toMatchObject({
        state: 'CANCELLING',
        reason: 'enough',
        sessionId,
      });
      const waiting = ids.find((id) => id !== held.jobId) as string;
      expect(await context.store.readJob('default', waiting)).toMatchObject({
        state: 'CANCELLED',
        reason: 'enough',
        sessionId: undefined,
      });
      expect(await cancel()).toEqual([]);
    });
  });

  describe('change by session', () => {
    it('frees the jobs of the session page by page, and none of another session', async () => {
      const laneId = await makeLane(context);
      await submitMany(context, laneId, 8);
      const [one, two] = [await openWorker(context), await openWorker(context)];
      const held = await claimMany(context, laneId, one.sessionId, 5);
      await claimMany(context, laneId, two.sessionId, 3);
      await context.store.observe(held.slice(0, 2), 0);
      const free = () =>
        context.store.change({ by: 'session', sessionId: one.sessionId, limit: 2 }, (run, nowUs) =>
          decideSessionEnd(run, 'LAPSE', { nowUs, random: 0 }),
        );
      const sizes = [(await free()).length, (await free()).length, (await free()).length, (await free()).length];
      expect(sizes).toEqual([2, 2, 1, 0]);
      for (const job of held)
        expect(await context.store.readJob('default', job.jobId)).toMatchObject({
          state: 'READY',
          attempts: [{ outcome: 'LAPSED', counted: false }],
        });
      expect(await context.store.readHeld(two.sessionId, true)).toHaveLength(3);
    });
  });

  describe('change by due time', () => {
    beforeEach(() => emptyTables(context));

    it('takes due jobs, earliest first, up to the requested number', async () => {
      const laneId = await makeLane(context);
      const nowUs = await context.store.nowUs();
      const jobs = [-3e6, -1e6, -2e6, 60e6].map((offset) =>
        makeJob(laneId, { state: 'SCHEDULED', runTimeUs: nowUs + offset }),
      );
      await context.store.submit([makeCall(jobs)]);
      const due = (limit: number) =>
        context.store.change({ by: 'due', limit, latestUs: FAR_US }, (run, now) =>
          decideDue(run, policy, { nowUs: now, random: 0 }),
        );
      expect((await due(2)).map((change) => change.run.jobId)).toEqual([jobs[0]?.jobId, jobs[2]?.jobId]);
      expect((await due(10)).map((change) => change.run.jobId)).toEqual([jobs[1]?.jobId]);
      expect(await due(10)).toEqual([]);
      expect(await context.store.readJob('default', jobs[0]?.jobId as string)).toMatchObject({
        state: 'READY',
        revision: 2,
      });
      expect(await context.store.readJob('default', jobs[3]?.jobId as string)).toMatchObject({ state: 'SCHEDULED' });
    });

    it('takes none that is due only by the clock of the database', async () => {
      const laneId = await makeLane(context);
      const nowUs = await context.store.nowUs();
      const job = makeJob(laneId, { state: 'SCHEDULED', runTimeUs: nowUs - 1e6 });
      await context.store.submit([makeCall([job])]);
      const due = (latestUs: number) =>
        context.store.change({ by: 'due', limit: 10, latestUs }, (run, now) =>
          decideDue(run, policy, { nowUs: now, random: 0 }),
        );
      expect(await due(nowUs - 3_600e6)).toEqual([]);
      expect((await due(nowUs)).map((change) => change.run.jobId)).toEqual([job.jobId]);
    });

    it('finds expiries, run timeouts and ends of grace periods', async () => {
      const laneId = await makeLane(context);
      const nowUs = await context.store.nowUs();
      const expiring = makeJob(laneId, { rank: 9, expireTimeUs: nowUs - 1 });
      const long = [makeJob(laneId, { rank: 1, runTimeoutMs: 1 }), makeJob(laneId, { rank: 2 })];
      await context.store.submit([makeCall([expiring, ...long])]);
      const { sessionId } = await openWorker(context);
      const held = await claimMany(context, laneId, sessionId, 2);
      await context.store.observe(held, 0);
      await context.store.change({ by: 'attempts', attempts: held.slice(1) }, (run, now) =>
        decideCancel(run, '', 0, { nowUs: now, random: 0 }),
      );
      await sql(context, `UPDATE job_runs SET due_time = due_time - interval '1 hour' WHERE state = 6`);
      const changes = await context.store.change({ by: 'due', limit: 10, latestUs: FAR_US }, (run, now) =>
        decideDue(run, policy, { nowUs: now, random: 0 }),
      );
      expect(changes.map((change) => [change.event, change.state]).sort()).toEqual([
        ['expire', 'EXPIRED'],
        ['timeOut', 'CANCELLED'],
        ['timeOut', 'SCHEDULED'],
      ]);
    });
  });
}
