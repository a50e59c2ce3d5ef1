/** Resources: a session's are never exceeded by any number of concurrent claims; none leaks, and no job starves. */
import { beforeEach, describe, expect, it } from 'vitest';
import { systemFailure } from '../../../../../server/domain/base/payload.ts';
import { definitionDefaults } from '../../../../../server/domain/definitions/definition.ts';
import { canonicalDemands } from '../../../../../server/domain/dispatch/placement.ts';
import { RESERVATION_LIFE_MS, RESERVE_AFTER_MS } from '../../../../../server/domain/dispatch/reservation.ts';
import { decideFail, decideRelease, decideSessionEnd } from '../../../../../server/domain/jobs/decide.ts';
import { everyJob } from '../../../../../server/domain/jobs/job-filter.ts';
import { countFailures } from '../../../../../server/domain/retries/circuit-breaker.ts';
import { FAR_US } from '../../../../support/store/far.ts';
import { emptyTables, type StoreContext, sql } from '../../../../support/store/store-context.ts';
import { claimDemanding, demandingLane } from '../../../../support/store/store-demands.ts';
import {
  claimOf,
  completionOf,
  jobsOf,
  makeCall,
  makeDefinition,
  makeJob,
  makeLane,
  openWorker,
  submitMany,
} from '../../../../support/store/store-fixtures.ts';
import { applyLimits } from '../../../../support/store/store-limits.ts';

export function resourcesSuite(context: StoreContext): void {
  const workerOf = async (resources: Record<string, number>) => (await openWorker(context, { resources })).sessionId;

  /** Sets the start of the lane's wait for capacity that much earlier. */
  const age = (ms: number) => sql(context, `UPDATE reservations SET since_time = since_time - ${ms} * interval '1 ms'`);

  describe('jobs that demand resources', () => {
    beforeEach(() => emptyTables(context));

    it('are assigned up to the capacity of each resource, and the session is then full', async () => {
      const lane = await demandingLane(context, { cpu: 0.5, gpu: 1 });
      await submitMany(context, lane, 5);
      const sessionId = await workerOf({ cpu: 8, gpu: 2 });
      const { jobs, seen } = await claimDemanding(context, lane, [sessionId], 5);
      expect(jobs).toHaveLength(2);
      expect(seen).toEqual({ exhausted: [sessionId], missed: [], dry: false });
      expect((await claimDemanding(context, lane, [sessionId], 5)).jobs).toEqual([]);
    });

    it('share a session with jobs of any lane and with jobs without demands', async () => {
      const [one, two] = [await demandingLane(context, { cpu: 3 }), await demandingLane(context, { cpu: 2 })];
      const plain = await makeLane(context);
      for (const lane of [one, two, plain]) await submitMany(context, lane, 9);
      const sessionId = await workerOf({ cpu: 8 });
      expect(await jobsOf(context.store.claim(claimOf([plain], sessionId, 3)))).toHaveLength(3);
      expect((await claimDemanding(context, one, [sessionId], 1)).jobs).toHaveLength(1);
      expect((await claimDemanding(context, two, [sessionId], 9)).jobs).toHaveLength(2);
      expect((await claimDemanding(context, one, [sessionId], 9)).jobs).toEqual([]);
    });

    it('are spread over sessions by their capacity', async () => {
      const lane = await demandingLane(context, { gpu: 1 });
      await submitMany(context, lane, 9);
      const [one, three, none] = [await workerOf({ gpu: 1 }), await workerOf({ gpu: 3 }), await workerOf({})];
      const { jobs, seen } = await claimDemanding(context, lane, [one, three, none], 4);
      expect(jobs.filter(({ sessionId }) => sessionId === one)).toHaveLength(1);
      expect(jobs.filter(({ sessionId }) => sessionId === three)).toHaveLength(3);
      expect(seen?.exhausted.toSorted()).toEqual([one, three, none].toSorted());
    });

    it('are not assigned twice by many concurrent claims', async () => {
      const lanes = [await demandingLane(context, { cpu: 1 }), await demandingLane(context, { cpu: 0.3 })];
      for (const lane of lanes) await submitMany(context, lane, 40);
      const sessionId = await workerOf({ cpu: 7 });
      const claims = Array.from({ length: 12 }, (_, i) =>
        claimDemanding(context, lanes[i % 2] as number, [sessionId], 5),
      );
      await Promise.all(claims);
      const [{ taken } = { taken: 0 }] = await sql(
        context,
        `SELECT sum(CASE lane_id WHEN ${lanes[0]} THEN 10 ELSE 3 END)::int AS taken FROM job_runs WHERE session_id IS NOT NULL`,
      );
      expect(taken).toBeGreaterThan(0);
      expect(taken).toBeLessThanOrEqual(70);
    });

    it('free their resources at any end of the attempt: a result, a failure, a release, a lost session', async () => {
      const lane = await demandingLane(context, { gpu: 1 });
      await submitMany(context, lane, 8);
      const sessionId = await workerOf({ gpu: 3 });
      const [done, failed, released] = (await claimDemanding(context, lane, [sessionId], 3)).jobs;
      if (!done || !failed || !released) throw new Error('three were assigned');
      const moment = { nowUs: 0, random: 0.5 };
      const failure = systemFailure('APPLICATION', 'Oops', 'it broke');
      await context.store.complete([completionOf(done)]);
      await context.store.change({ by: 'attempts', attempts: [failed] }, (run, nowUs) =>
        decideFail(run, failure, definitionDefaults.retryPolicy, { ...moment, nowUs }),
      );
      await context.store.change({ by: 'attempts', attempts: [released] }, (run, nowUs) =>
        decideRelease(run, 'DRAIN', { ...moment, nowUs }),
      );
      expect((await claimDemanding(context, lane, [sessionId], 3)).jobs).toHaveLength(3);
      await context.store.closeSessions([sessionId], 'LAPSE');
      await context.store.change({ by: 'session', sessionId, limit: 10 }, (run, nowUs) =>
        decideSessionEnd(run, 'LAPSE', { ...moment, nowUs }),
      );
      expect((await claimDemanding(context, lane, [sessionId], 3)).jobs).toEqual([]);
      const other = await workerOf({ gpu: 2 });
      expect((await claimDemanding(context, lane, [other], 3)).jobs).toHaveLength(2);
    });

    it('are not assigned at their submission, nor by a claim that does not check them', async () => {
      const lane = await demandingLane(context, { gpu: 1 });
      const sessionId = await workerOf({ gpu: 8 });
      const permit = { sessionId, creditId: 1, prefetch: false };
      const job = makeJob(lane);
      const [result] = await context.store.submit([makeCall([job])], new Map([[job.jobId, permit]]));
      expect(result).toMatchObject({ kind: 'stored', jobs: [{ assigned: false }] });
      expect(await jobsOf(context.store.claim(claimOf([lane], sessionId, 1)))).toEqual([]);
      expect((await context.store.readHeads(0)).heads.map(({ laneId }) => laneId)).toEqual([lane]);
      expect((await claimDemanding(context, lane, [sessionId], 1)).jobs).toHaveLength(1);
    });

    it('wait for their limits, too', async () => {
      const definition = 'limited-and-demanding';
      await applyLimits(context, definition, { maxConcurrency: 2 });
      const lane = await demandingLane(context, { gpu: 1 }, { definition });
      await submitMany(context, lane, 5);
      const sessionId = await workerOf({ gpu: 4 });
      const [known] = await context.store.readLanes([lane]);
      if (!known) throw new Error('the lane is there');
      const buckets = { queueBucketId: crypto.randomUUID(), definitionBucketId: crypto.randomUUID() };
      const limits = { ...known, ...buckets, ownUs: Date.now() * 1_000, atLimitLaneId: 0 };
      const permits = Array.from({ length: 5 }, () => ({ sessionId, creditId: 1, prefetch: false }));
      const lanes = [{ laneId: lane, cursor: 0 }];
      const claim = () => jobsOf(context.store.claim({ permits, lanes, limits, needs: { gpu: 1 }, maxBytes: 8 << 20 }));
      expect(await claim()).toHaveLength(2);
      expect(await claim()).toEqual([]);
    });

    it('are used as a probe only where there is capacity', async () => {
      const demands = canonicalDemands({ labels: {}, resources: { gpu: 2 } });
      const lane = await makeLane(context, { demands }, 'tried');
      await submitMany(context, lane, 2);
      const key = { namespace: 'default', name: 'tried' };
      const opening = { name: 'tried', failureThreshold: 1, windowMs: 1_000, openDurationMs: -1, types: [] };
      await context.store.changeBreakers([key], (now, nowUs) => countFailures(now, 1, opening, nowUs), true);
      expect(
        (await context.store.readLanesToProbe(key, { laneId: 0, rank: 0 }, 9)).map(({ laneId }) => laneId),
      ).toEqual([lane]);
      const probe = (sessionId: string) => {
        const permits = [{ sessionId, creditId: 1, prefetch: false }];
        return context.store.probeBreaker(
          key,
          { permits, lanes: [{ laneId: lane, cursor: 0 }], needs: { gpu: 2 } },
          FAR_US,
        );
      };
      const sessionId = await workerOf({ gpu: 3 });
      expect((await claimDemanding(context, lane, [sessionId], 1)).jobs).toEqual([]);
      const small = await demandingLane(context, { gpu: 2 });
      await submitMany(context, small, 1);
      const { jobs } = await claimDemanding(context, small, [sessionId], 1);
      expect(await probe(sessionId)).toBeUndefined();
      await context.store.complete(jobs.map((job) => completionOf(job)));
      expect(await probe(sessionId)).toMatchObject({ laneId: lane, sessionId });
    });

    it('have at most one suspect per session, which uses resources', async () => {
      const lane = await demandingLane(context, { gpu: 2 }, { suspect: true });
      await submitMany(context, lane, 3);
      await sql(context, 'UPDATE job_runs SET consecutive_losses = 2');
      const [two, one] = [await workerOf({ gpu: 5 }), await workerOf({ gpu: 1 })];
      const { jobs } = await claimDemanding(context, lane, [two, one], 3);
      expect(jobs.map(({ sessionId }) => sessionId)).toEqual([two]);
      expect((await claimDemanding(context, lane, [two, one], 3)).jobs).toEqual([]);
    });
  });

  describe('a job without capacity', () => {
    beforeEach(() => emptyTables(context));

    async function stuckBehindSmall(): Promise<{ big: number; small: number; sessionId: string; first: string }> {
      const [big, small] = [await demandingLane(context, { gpu: 4 }), await demandingLane(context, { gpu: 1 })];
      await submitMany(context, big, 2);
      await submitMany(context, small, 20);
      const sessionId = await workerOf({ gpu: 4 });
      const [first] = (await claimDemanding(context, small, [sessionId], 1)).jobs;
      expect((await claimDemanding(context, big, [sessionId], 1)).seen).toMatchObject({
        exhausted: [sessionId],
        dry: false,
      });
      return { big, small, sessionId, first: first?.jobId ?? '' };
    }

    it('gets a session reserved after a long wait, and starts when that is empty', async () => {
      const { big, small, sessionId } = await stuckBehindSmall();
      const [second] = (await claimDemanding(context, small, [sessionId], 1)).jobs;
      await age(RESERVE_AFTER_MS);
      await claimDemanding(context, big, [sessionId], 1);
      expect((await claimDemanding(context, small, [sessionId], 3)).jobs).toEqual([]);
      const running = await sql(
        context,
        'SELECT job_id, attempt, session_id FROM job_runs WHERE session_id IS NOT NULL',
      );
      expect(running).toHaveLength(2);
      expect(second).toBeDefined();
      for (const { job_id: jobId, attempt, session_id: held } of running)
        await context.store.complete([completionOf({ jobId, attempt, sessionId: held })]);
      const { jobs } = await claimDemanding(context, big, [sessionId], 1);
      expect(jobs).toHaveLength(1);
      await context.store.complete(jobs.map((job) => completionOf(job)));
      // The next job of the lane begins its wait only now.
      expect((await claimDemanding(context, small, [sessionId], 1)).jobs).toHaveLength(1);
    });

    it('reserves no session before that', async () => {
      const { small, sessionId } = await stuckBehindSmall();
      expect((await claimDemanding(context, small, [sessionId], 9)).jobs).toHaveLength(3);
    });

    it('frees the reserved session when it is deleted or gated, or when the session drains', async () => {
      const { big, small, sessionId } = await stuckBehindSmall();
      await age(RESERVE_AFTER_MS);
      await claimDemanding(context, big, [sessionId], 1);
      expect((await claimDemanding(context, small, [sessionId], 1)).jobs).toEqual([]);
      await sql(context, `UPDATE reservations SET ask_time = ask_time - ${RESERVATION_LIFE_MS} * interval '1 ms'`);
      expect((await claimDemanding(context, small, [sessionId], 1)).jobs).toHaveLength(1);
    });

    it('keeps its wait while no claim comes, as long as its jobs are ready', async () => {
      const { big, small, sessionId } = await stuckBehindSmall();
      await age(RESERVE_AFTER_MS);
      await claimDemanding(context, big, [sessionId], 1);
      const grow = `UPDATE reservations SET ask_time = ask_time - ${RESERVATION_LIFE_MS} * interval '1 ms'`;
      await sql(context, grow);
      await context.store.renewReservations();
      expect((await claimDemanding(context, small, [sessionId], 1)).jobs).toEqual([]);
      await sql(context, grow);
      await sql(context, `UPDATE lanes SET gates = gates | 1 WHERE lane_id = ${big}`);
      await context.store.renewReservations();
      expect((await claimDemanding(context, small, [sessionId], 1)).jobs).toHaveLength(1);
    });

    it('reserves nothing if nothing waits: the lane is empty', async () => {
      const [big, small] = [await demandingLane(context, { gpu: 4 }), await demandingLane(context, { gpu: 1 })];
      await submitMany(context, small, 1);
      const sessionId = await workerOf({ gpu: 4 });
      await claimDemanding(context, small, [sessionId], 1);
      expect((await claimDemanding(context, big, [sessionId], 1)).seen).toMatchObject({ dry: true });
      expect(await sql(context, 'SELECT * FROM reservations')).toEqual([]);
    });

    it('gets one reserved session, however many replicas ask for it', async () => {
      const { big } = await stuckBehindSmall();
      const small = await demandingLane(context, { gpu: 1 });
      await submitMany(context, small, 9);
      const others = [await workerOf({ gpu: 4 }), await workerOf({ gpu: 5 })];
      for (const other of others) await claimDemanding(context, small, [other], 2);
      await age(RESERVE_AFTER_MS);
      for (const other of others) expect((await claimDemanding(context, big, [other], 1)).jobs).toEqual([]);
      const waits = await sql(context, 'SELECT session_id FROM reservations WHERE session_id IS NOT NULL');
      expect(waits).toHaveLength(1);
    });
  });

  describe('the wait reason of a job that demands resources', () => {
    beforeEach(() => emptyTables(context));

    const reasonOf = async (laneId: number) => {
      const [jobId = ''] = await submitMany(context, laneId, 1);
      return (await context.store.readJob('default', jobId))?.reason;
    };

    async function defined(resources: Record<string, number>): Promise<number> {
      const definition = `demanding-${crypto.randomUUID()}`;
      const hash = new TextEncoder().encode(definition);
      await context.store.applyDefinition(makeDefinition(definition, { handler: 'handler' }), hash, false);
      return demandingLane(context, resources, { definition });
    }

    it('says that no worker could ever run it, with the largest offer', async () => {
      await workerOf({ gpu: 2 });
      expect(await reasonOf(await defined({ gpu: 3 }))).toBe(
        'no connected worker could ever run it: it takes gpu 3; the most that one offers is gpu 2',
      );
    });

    it('says that it waits for capacity, also in a list', async () => {
      const sessionId = await workerOf({ gpu: 2 });
      const lane = await defined({ gpu: 2 });
      expect(await reasonOf(lane)).toBe('');
      expect((await claimDemanding(context, lane, [sessionId], 1)).jobs).toHaveLength(1);
      const reason = 'waits for capacity: it takes gpu 2; worker worker has less than that left';
      expect(await reasonOf(lane)).toBe(reason);
      const query = { namespace: 'default', beforeJobId: undefined, limit: 10, scanLimit: 100 };
      const { jobs } = await context.store.listJobs({ ...query, filter: { ...everyJob, states: ['READY'] } });
      expect(jobs.map((job) => job.reason)).toEqual([reason]);
    });
  });
}
