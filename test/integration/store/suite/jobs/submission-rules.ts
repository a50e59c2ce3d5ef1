/** Submissions with rule keys: one job holds a key, and passes it on only as the rule allows. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { decideCancel } from '../../../../../server/domain/jobs/decide.ts';
import type { SubmitCall, SubmitResult } from '../../../../../server/engine/ports/submissions.ts';
import { plantBugs } from '../../../../support/databases/database-taps.ts';
import { createStore } from '../../../../support/store/create-store.ts';
import { type StoreContext, sql } from '../../../../support/store/store-context.ts';
import {
  bytes,
  claimMany,
  makeCall,
  makeJob,
  makeLane,
  only,
  openWorker,
} from '../../../../support/store/store-fixtures.ts';
import {
  debounced,
  inAnHour,
  type MakeRule,
  ruledCall,
  throttled,
  unique,
} from '../../../../support/store/store-rules.ts';

export function submissionRulesSuite(context: StoreContext): void {
  const submitOne = async (call: SubmitCall) => only(await context.store.submit([call]));
  const idsOf = (call: SubmitCall) => call.jobs.map(({ jobId }) => jobId);
  const answersOf = (result: SubmitResult) => (result.kind === 'stored' ? result.jobs.map(({ jobId }) => jobId) : []);
  const duplicate = (jobId: string | undefined) => ({ jobId, existing: true, assigned: false, duplicate: true });
  const fresh = (jobId: string | undefined) => ({ jobId, existing: false, assigned: false });
  const laneOf = () => makeLane(context);
  const cancel = (jobId: string) =>
    context.store.change({ by: 'jobs', namespace: 'default', jobIds: [jobId] }, (run, nowUs) =>
      decideCancel(run, '', 1, { nowUs, random: 0 }),
    );
  const keysOf = (jobIds: readonly string[]) =>
    sql(context, `SELECT kind, until_time FROM submission_keys WHERE job_id IN ('${jobIds.join("', '")}')`);

  describe('uniqueness', () => {
    it('creates one job for many concurrent flushes, also for those that take the key of an ended job', async () => {
      const laneId = await laneOf();
      const name = randomUUID();
      const calls = () => Array.from({ length: 12 }, () => ruledCall(laneId, [unique(name)]));
      const round = async () => new Set((await Promise.all(calls().map(submitOne))).flatMap(answersOf));
      const first = await round();
      expect(first.size).toBe(1);
      await cancel([...first][0] as string);
      const second = await round();
      expect(second.size).toBe(1);
      expect([...second][0]).not.toBe([...first][0]);
    });

    it('creates one job per key for calls that share several keys in any order', async () => {
      const laneId = await laneOf();
      for (let round = 0; round < 10; round++) {
        const names = Array.from({ length: 5 }, () => randomUUID());
        const orders = [names, [...names].reverse(), [...names.slice(2), ...names.slice(0, 2)]];
        const calls = orders.map((order) =>
          ruledCall(
            laneId,
            order.map((name) => unique(name)),
          ),
        );
        const results = await Promise.all(calls.map(submitOne));
        expect(new Set(results.flatMap(answersOf)).size).toBe(5);
        expect(await context.store.findJobs(calls.flatMap(idsOf))).toHaveLength(5);
      }
    });

    it('stores nothing of a refused call, and keeps none of its keys', async () => {
      const laneId = await laneOf();
      const [taken, free] = [randomUUID(), randomUUID()];
      const first = ruledCall(laneId, [unique(taken)]);
      await submitOne(first);
      const call = ruledCall(laneId, [unique(free), unique(taken, { policy: 'REJECT' })]);
      expect(await submitOne(call)).toEqual({ kind: 'duplicate', index: 1, jobId: idsOf(first)[0] });
      expect(await context.store.findJobs(idsOf(call))).toEqual([]);
      const next = ruledCall(laneId, [unique(free)]);
      expect(await submitOne(next)).toMatchObject({ jobs: [fresh(idsOf(next)[0])] });
    });

    it('mixes duplicates, new jobs and jobs without a rule', async () => {
      const laneId = await laneOf();
      const [there, here] = [randomUUID(), randomUUID()];
      const first = ruledCall(laneId, [unique(there)]);
      await submitOne(first);
      const call = ruledCall(laneId, [unique(here), unique(there), unique(here)]);
      const bare = makeJob(laneId);
      const [one] = idsOf(call);
      expect(await submitOne({ ...call, jobs: [...call.jobs, bare] })).toMatchObject({
        jobs: [fresh(one), duplicate(idsOf(first)[0]), duplicate(one), fresh(bare.jobId)],
      });
      expect((await context.store.findJobs([...idsOf(call), bare.jobId])).sort()).toEqual([one, bare.jobId].sort());
    });

    it('gives a repeat with the same request id the answer of the first call', async () => {
      const laneId = await laneOf();
      const name = randomUUID();
      const first = ruledCall(laneId, [unique(name)]);
      await submitOne(first);
      const request = { requestId: randomUUID(), bodyHash: bytes('body') };
      const second = ruledCall(laneId, [unique(name), unique(randomUUID())], {}, request);
      await submitOne(second);
      await cancel(idsOf(first)[0] as string);
      const repeat = ruledCall(laneId, [unique(name), unique(randomUUID())], {}, request);
      expect(await submitOne(repeat)).toEqual({
        kind: 'stored',
        repeated: true,
        jobs: [duplicate(idsOf(first)[0]), { ...fresh(idsOf(second)[1]), existing: true }],
      });
      expect(await keysOf(idsOf(repeat))).toEqual([]);
    });

    it('gives the idempotency key of a duplicate to the existing job', async () => {
      const laneId = await laneOf();
      const [name, key] = [randomUUID(), randomUUID()];
      const keyed = () => {
        const keys = [{ index: 0, key, contentHash: bytes('c'), policy: 'USE_EXISTING' as const }];
        return ruledCall(laneId, [unique(name)], { idempotencyKey: key }, { keys });
      };
      const first = ruledCall(laneId, [unique(name)]);
      await submitOne(first);
      expect(await submitOne(keyed())).toMatchObject({ jobs: [duplicate(idsOf(first)[0])] });
      await cancel(idsOf(first)[0] as string);
      expect(await submitOne(keyed())).toMatchObject({ jobs: [{ jobId: idsOf(first)[0], existing: true }] });
    });

    it('repeats a flush that failed half-way, with the same answers', async () => {
      const laneId = await laneOf();
      const [there, name] = [randomUUID(), randomUUID()];
      const owner = ruledCall(laneId, [unique(there)]);
      await submitOne(owner);
      const good = ruledCall(laneId, [unique(name), unique(there), unique(name)]);
      const bad = makeCall([makeJob(laneId, { jobId: good.jobs[0]?.jobId as string })]);
      const answer = { jobs: [fresh(idsOf(good)[0]), duplicate(idsOf(owner)[0]), duplicate(idsOf(good)[0])] };
      expect(await submitOne(good)).toMatchObject(answer);
      const again = await context.store.submit([good, makeCall([makeJob(laneId)])]);
      expect(again[0]?.kind === 'stored' && again[0].jobs.map(({ jobId, existing }) => [jobId, existing])).toEqual([
        [idsOf(good)[0], false],
        [idsOf(owner)[0], true],
        [idsOf(good)[0], true],
      ]);
      expect(answersOf(await submitOne(bad))).toEqual([idsOf(good)[0]]);
    });

    // Proves that the tests above would detect a key held by two jobs.
    it('would create several jobs without the lock and the comparison', async () => {
      const laneId = await laneOf();
      const store = createStore(
        plantBugs(context.database, [
          { of: 'lock_submission_keys', from: ' ORDER BY key_hash FOR NO KEY UPDATE', to: '' },
          { of: 'take_over_submission_keys', from: ' AND k.job_id IS NOT DISTINCT FROM i.holder_job_id', to: '' },
        ]),
      );
      let most = 1;
      for (let round = 0; round < 50 && most === 1 && context.kind !== 'PGlite'; round++) {
        const name = randomUUID();
        const [jobId] = answersOf(await submitOne(ruledCall(laneId, [unique(name)])));
        await cancel(jobId as string);
        const calls = Array.from({ length: 12 }, () => ruledCall(laneId, [unique(name)]));
        const results = await Promise.all(calls.map(async (call) => only(await store.submit([call]))));
        most = Math.max(most, new Set(results.flatMap(answersOf)).size);
      }
      expect(most > 1).toBe(context.kind !== 'PGlite');
    });
  });

  describe('debounce', () => {
    const waiting = (jobIds: readonly string[]) =>
      sql(context, `SELECT job_id FROM job_runs WHERE state = 2 AND job_id IN ('${jobIds.join("', '")}')`);

    async function submitWaiting(rules: readonly MakeRule[], laneId: number): Promise<SubmitCall> {
      const call = ruledCall(laneId, rules, inAnHour(await context.store.nowUs()));
      await submitOne(call);
      return call;
    }

    it('leaves one waiting job of many concurrent flushes, and replaces each of the others once', async () => {
      const laneId = await laneOf();
      const name = randomUUID();
      const sizes = [1, 2, 1, 3, 1, 1, 2, 1];
      const nowUs = await context.store.nowUs();
      const calls = sizes.map((size) =>
        ruledCall(
          laneId,
          Array.from({ length: size }, () => debounced(name)),
          inAnHour(nowUs),
        ),
      );
      await Promise.all(calls.map(submitOne));
      const all = calls.flatMap(idsOf);
      expect(await waiting(all)).toHaveLength(1);
      const ended = await sql(
        context,
        `SELECT reason FROM job_outcomes WHERE job_id IN ('${all.join("', '")}') AND state = 11`,
      );
      expect(ended).toHaveLength(all.length - 1);
      expect(new Set(ended.map((row) => row.reason)).size).toBe(all.length - 1);
    });

    it('returns the jobs that it ended and the next due time', async () => {
      const laneId = await laneOf();
      const name = randomUUID();
      const first = await submitWaiting([debounced(name)], laneId);
      const nowUs = await context.store.nowUs();
      const second = ruledCall(laneId, [debounced(name), debounced(name)], inAnHour(nowUs));
      const result = await submitOne(second);
      if (result.kind !== 'stored') throw new Error(result.kind);
      expect(result.replaced?.changes.map(({ run }) => run.jobId)).toEqual([idsOf(first)[0], idsOf(second)[0]]);
      expect(result.replaced?.dueUs).toBe(nowUs + 3_600_000_000);
    });

    it('delays up to the limit of the first job in a series, and starts anew after that', async () => {
      const laneId = await laneOf();
      const name = randomUUID();
      const longest = { maxWaitMs: 3_601_000 };
      const first = await submitWaiting([debounced(name, longest)], laneId);
      const [row] = await keysOf(idsOf(first));
      const nowUs = await context.store.nowUs();
      const late = ruledCall(laneId, [debounced(name, { maxWaitMs: 1 })], {
        state: 'SCHEDULED',
        runTimeUs: nowUs + 9e9,
      });
      await submitOne(late);
      const [run] = await sql(context, `SELECT due_time, rank FROM job_runs WHERE job_id = '${idsOf(late)[0]}'`);
      expect(run).toEqual({ due_time: row?.until_time, rank: row?.until_time });
      expect(row?.until_time - nowUs).toBeLessThanOrEqual(3_601_000_000);
      await cancel(idsOf(late)[0] as string);
      const anew = await submitWaiting([debounced(name, longest)], laneId);
      expect((await keysOf(idsOf(anew)))[0]?.until_time).toBeGreaterThan(row?.until_time);
    });

    it('ignores a job that no longer waits or was tried before', async () => {
      const laneId = await laneOf();
      const { sessionId } = await openWorker(context);
      const [started, retried] = [randomUUID(), randomUUID()];
      const one = ruledCall(laneId, [debounced(started)]);
      await submitOne(one);
      await claimMany(context, laneId, sessionId, 1);
      const two = await submitWaiting([debounced(retried)], laneId);
      await sql(context, `UPDATE job_runs SET attempt = 1 WHERE job_id = '${idsOf(two)[0]}'`);
      const next = ruledCall(laneId, [debounced(started), debounced(retried)], inAnHour(await context.store.nowUs()));
      expect(await submitOne(next)).toMatchObject({ replaced: { changes: [] } });
      const open = await sql(
        context,
        `SELECT FROM job_runs WHERE job_id IN ('${[one, two, next].flatMap(idsOf).join("', '")}')`,
      );
      expect(open).toHaveLength(4);
    });

    it('replaces nothing when a flush is repeated', async () => {
      const laneId = await laneOf();
      const name = randomUUID();
      const first = await submitWaiting([debounced(name)], laneId);
      const second = ruledCall(laneId, [debounced(name), debounced(name)], inAnHour(await context.store.nowUs()));
      await submitOne(second);
      expect(answersOf(await submitOne(second))).toEqual(idsOf(second));
      expect(await waiting([first, second].flatMap(idsOf))).toEqual([{ job_id: idsOf(second)[1] }]);
    });
  });

  describe('throttle', () => {
    it('takes one of many concurrent flushes, and the next when the period since its creation is over', async () => {
      const laneId = await laneOf();
      const name = randomUUID();
      const round = () =>
        Promise.all(Array.from({ length: 12 }, () => submitOne(ruledCall(laneId, [throttled(name)]))));
      const first = new Set((await round()).flatMap(answersOf));
      expect(first.size).toBe(1);
      const [jobId] = first;
      await cancel(jobId as string);
      expect(new Set((await round()).flatMap(answersOf))).toEqual(first);
      await sql(context, `UPDATE jobs SET create_time = create_time - interval '1 hour' WHERE job_id = '${jobId}'`);
      const second = new Set((await round()).flatMap(answersOf));
      expect(second.size).toBe(1);
      expect(second).not.toEqual(first);
    });

    it('returns the time until the next one, also if the job is deleted', async () => {
      const laneId = await laneOf();
      const name = randomUUID();
      const first = ruledCall(laneId, [throttled(name)]);
      await submitOne(first);
      const [jobId] = idsOf(first);
      const ask = () => submitOne(ruledCall(laneId, [throttled(name, { policy: 'REJECT' })]));
      const refused = await ask();
      expect(refused).toMatchObject({ kind: 'throttled', index: 0, jobId });
      for (const table of ['jobs', 'job_runs']) await sql(context, `DELETE FROM ${table} WHERE job_id = '${jobId}'`);
      const later = await ask();
      if (refused.kind !== 'throttled' || later.kind !== 'throttled') throw new Error(later.kind);
      expect(refused.retryAfterMs).toBeLessThanOrEqual(3_600_000);
      expect(later.retryAfterMs).toBeLessThanOrEqual(refused.retryAfterMs);
      expect(later.retryAfterMs).toBeGreaterThan(3_000_000);
    });
  });
}
