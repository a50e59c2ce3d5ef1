import { describe, expect, it } from 'vitest';
import { type Failure, systemFailure } from '../../../../../server/domain/base/payload.ts';
import { definitionDefaults } from '../../../../../server/domain/definitions/definition.ts';
import { decideFail, decideRelease } from '../../../../../server/domain/jobs/decide.ts';
import type { OpenRun } from '../../../../../server/domain/jobs/run.ts';
import { noLimits } from '../../../../../server/domain/jobs/time-limits.ts';
import type { Selection } from '../../../../../server/engine/ports/jobs.ts';
import type { StoreContext } from '../../../../support/store/store-context.ts';
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
  payload,
  readEverything,
  readRow,
} from '../../../../support/store/store-fixtures.ts';

const policy = definitionDefaults.retryPolicy;
const failure: Failure = {
  ...systemFailure('APPLICATION', 'Oops', 'it "broke" \\ {NULL}'),
  stackTrace: 'at a\nat b',
  cause: {
    ...systemFailure('APPLICATION', 'Inner', ''),
    details: { data: new Uint8Array([0, 255]), contentType: 'x', metadata: { a: 'b' } },
  },
};

export function changeSuite(context: StoreContext): void {
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
  const fail = (selection: Selection, failed = failure) =>
    context.store.change(selection, (run, nowUs) => decideFail(run, failed, policy, { nowUs, random: 0.5 }));

  describe('change', () => {
    it('loads everything that a decision may need', async () => {
      const laneId = await makeLane(context);
      const expireTimeUs = 1_900_000_000_123_457;
      const retryPolicy = { ...policy, maxAttempts: 7 };
      const job = makeJob(laneId, { rank: 5, priority: -3, retryPolicy, expireTimeUs });
      await context.store.submit([makeCall([job])]);
      const [waiting] = await lock({ by: 'jobs', namespace: 'default', jobIds: [job.jobId] });
      const fresh = {
        attemptCount: 0,
        consecutiveLosses: 0,
        suspectLosses: 0,
        totalLosses: 0,
        failures: 0,
        releases: 0,
        releasesSinceUs: null,
        suspensions: 0,
        suspension: null,
        begun: false,
        pausedWithParent: false,
        exhausted: false,
        retriesSinceUs: null,
        timeoutsStopped: false,
        limits: noLimits,
        runTimeUs: null,
        reason: null,
        runTimeoutMs: job.runTimeoutMs,
        retryPolicy,
        fairnessKey: null,
        limitId: null,
        parentJobId: null,
        unmetDependencies: 0,
        children: 0,
        notifiesDependents: false,
      };
      const view = await context.store.readJob('default', job.jobId);
      const createTimeUs = view?.createTimeUs;
      const constant = { jobId: job.jobId, laneId, rank: 5, priority: -3, expireTimeUs, createTimeUs, ...fresh };
      expect(waiting).toEqual({
        ...constant,
        state: 'READY',
        attempt: 0,
        sessionId: null,
        assignTimeUs: null,
        dueTimeUs: expireTimeUs,
      });
      const { sessionId } = await openWorker(context);
      const held = only(await claimMany(context, laneId, sessionId, 1));
      const [run] = await lock({ by: 'attempts', attempts: [held] });
      expect(run).toEqual({
        ...constant,
        state: 'ASSIGNED',
        attempt: 1,
        sessionId,
        assignTimeUs: run?.assignTimeUs,
        dueTimeUs: null,
      });
      expect(run?.assignTimeUs).toBeGreaterThanOrEqual(createTimeUs as number);
    });

    it('gives the decision the database time', async () => {
      const job = await holdOne(context);
      const before = await context.store.nowUs();
      let seen = 0;
      await context.store.change({ by: 'attempts', attempts: [job] }, (_run, nowUs) => {
        seen = nowUs;
        return undefined;
      });
      expect(seen).toBeGreaterThanOrEqual(before);
      expect(seen).toBeLessThanOrEqual(await context.store.nowUs());
    });

    it('writes an attempt that continues, and one that it closes', async () => {
      const job = await holdOne(context);
      const [change] = await fail({ by: 'attempts', attempts: [job] });
      if (change?.kind !== 'continue') throw new Error('a retry was expected');
      const row = await readRow(context, 'job_runs', job.jobId);
      expect(row).toMatchObject({
        state: 2,
        rank: change.rank,
        due_time: change.dueTimeUs,
        attempt: 1,
        attempt_count: 1,
        session_id: null,
        credit_id: null,
        revision: 3,
        reason: change.reason,
      });
      const view = await context.store.readJob('default', job.jobId);
      expect(view?.attempts).toMatchObject([
        {
          attempt: 1,
          sessionId: job.sessionId,
          outcome: 'FAILED',
          counted: true,
          failure: { ...failure, cause: { type: 'Inner' } },
        },
      ]);
      expect(Buffer.from(view?.attempts[0]?.failure?.cause?.details?.data ?? []).toString('hex')).toBe('00ff');
    });

    it('writes the end of a job with its failure', async () => {
      const job = await holdOne(context);
      const progress = { sequence: 1, fraction: 0.5, message: undefined, checkpoint: payload('state') };
      await context.store.saveProgress([{ ...keyOf(job), ...progress }], 0);
      const [change] = await fail({ by: 'attempts', attempts: [job] }, { ...failure, nonRetryable: true });
      expect(change).toMatchObject({ kind: 'end', state: 'FAILED' });
      expect(await readRow(context, 'job_checkpoints', job.jobId)).toBeUndefined();
      expect(await readRow(context, 'job_runs', job.jobId)).toBeUndefined();
      expect(await context.store.readJob('default', job.jobId)).toMatchObject({
        state: 'FAILED',
        attempt: 1,
        attemptCount: 1,
        revision: 4,
        sessionId: job.sessionId,
        progress: { fraction: 0.5, message: '' },
        failure: { type: 'Oops', stackTrace: failure.stackTrace },
      });
    });

    it('changes nothing if the decision throws or decides nothing', async () => {
      const jobs = await holdMany(context, 3);
      const before = await Promise.all(jobs.map((job) => readEverything(context, job.jobId)));
      let calls = 0;
      const throwing = context.store.change({ by: 'attempts', attempts: jobs }, (run, nowUs) => {
        if (++calls === 3) throw new Error('no');
        return decideFail(run, failure, policy, { nowUs, random: 0.5 });
      });
      await expect(throwing).rejects.toThrow('no');
      await lock({ by: 'attempts', attempts: jobs });
      expect(await Promise.all(jobs.map((job) => readEverything(context, job.jobId)))).toEqual(before);
    });

    it('caps counters at the largest value of their columns', async () => {
      const job = await holdOne(context);
      const many = { releases: 40_000, consecutiveLosses: 40_000, totalLosses: 40_000 };
      await context.store.change({ by: 'attempts', attempts: [job] }, (run, nowUs) => ({
        ...decideRelease(run, 'NO_SLOT', { nowUs, random: 0 }),
        ...many,
      }));
      expect(await readRow(context, 'job_runs', job.jobId)).toMatchObject({
        releases: 32_767,
        consecutive_losses: 32_767,
        total_losses: 32_767,
      });
    });
  });
}
