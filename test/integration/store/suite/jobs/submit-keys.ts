/** Submissions with idempotency keys: one job for each key, in whatever order calls come. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { IdempotencyKey } from '../../../../../server/domain/jobs/idempotency-key.ts';
import type { SubmitCall } from '../../../../../server/engine/ports/submissions.ts';
import { type StoreContext, sql } from '../../../../support/store/store-context.ts';
import { bytes, makeCall, makeJob, makeLane, only } from '../../../../support/store/store-fixtures.ts';

interface Wish {
  readonly key: string;
  readonly content?: string;
  readonly policy?: IdempotencyKey['policy'];
  readonly replacedJobId?: string | undefined;
}

export function submitKeysSuite(context: StoreContext): void {
  async function makeKeyedCall(wishes: readonly Wish[], changes: Partial<SubmitCall> = {}): Promise<SubmitCall> {
    const laneId = await makeLane(context, { namespace: changes.namespace ?? 'default' });
    const jobs = wishes.map((wish) => makeJob(laneId, { idempotencyKey: wish.key }));
    const keys = wishes.map(({ key, content = 'content', policy = 'USE_EXISTING', replacedJobId }, index) => ({
      index,
      key,
      contentHash: bytes(content),
      policy,
      replacedJobId,
    }));
    return makeCall(jobs, { keys, ...changes });
  }
  const submitOne = async (call: SubmitCall) => only(await context.store.submit([call]));
  const idsOf = (call: SubmitCall) => call.jobs.map((job) => job.jobId);
  const stored = (ids: readonly (string | undefined)[], existing: readonly boolean[]) => ({
    kind: 'stored',
    jobs: ids.map((jobId, i) => ({ jobId, existing: existing[i], assigned: false })),
  });

  describe('idempotency keys', () => {
    it('return the existing job for the same content', async () => {
      const key = randomUUID();
      const first = await makeKeyedCall([{ key }]);
      const second = await makeKeyedCall([{ key }]);
      expect(await submitOne(first)).toEqual(stored(idsOf(first), [false]));
      expect(await submitOne(second)).toEqual(stored(idsOf(first), [true]));
      expect(await context.store.findJobs(idsOf(second))).toEqual([]);
    });

    it('refuse other content under either policy, and the same content under FAIL', async () => {
      const key = randomUUID();
      const first = await makeKeyedCall([{ key }]);
      await submitOne(first);
      const conflict = { kind: 'idempotencyConflict', index: 0, jobId: idsOf(first)[0] };
      expect(await submitOne(await makeKeyedCall([{ key, content: 'else' }]))).toEqual({
        ...conflict,
        sameContent: false,
      });
      expect(await submitOne(await makeKeyedCall([{ key, content: 'else', policy: 'FAIL' }]))).toEqual({
        ...conflict,
        sameContent: false,
      });
      expect(await submitOne(await makeKeyedCall([{ key, policy: 'FAIL' }]))).toEqual({
        ...conflict,
        sameContent: true,
      });
    });

    it('store all of a call or none, and a refusal frees its other keys', async () => {
      const [taken, free] = [randomUUID(), randomUUID()];
      const owner = await makeKeyedCall([{ key: taken }]);
      await submitOne(owner);
      const refused = await makeKeyedCall([{ key: free }, { key: taken, policy: 'FAIL' }]);
      expect(await submitOne(refused)).toMatchObject({ kind: 'idempotencyConflict', index: 1, jobId: idsOf(owner)[0] });
      expect(await context.store.findJobs(idsOf(refused))).toEqual([]);
      const next = await makeKeyedCall([{ key: free, policy: 'FAIL' }]);
      expect(await submitOne(next)).toEqual(stored(idsOf(next), [false]));
    });

    it('mix jobs with a new key, an old key and no key', async () => {
      const [old, fresh] = [randomUUID(), randomUUID()];
      const owner = await makeKeyedCall([{ key: old }]);
      await submitOne(owner);
      const call = await makeKeyedCall([{ key: old }, { key: fresh }]);
      const bare = makeJob(call.jobs[0]?.laneId as number);
      const mixed = { ...call, jobs: [...call.jobs, bare] };
      expect(await submitOne(mixed)).toEqual(
        stored([idsOf(owner)[0], idsOf(call)[1], bare.jobId], [true, false, false]),
      );
      expect((await context.store.findJobs(idsOf(mixed))).sort()).toEqual([idsOf(call)[1], bare.jobId].sort());
    });

    it('belong to one namespace', async () => {
      const key = randomUUID();
      const here = await makeKeyedCall([{ key, policy: 'FAIL' }]);
      const there = await makeKeyedCall([{ key, policy: 'FAIL' }], { namespace: 'other' });
      expect(await context.store.submit([here, there])).toEqual([
        stored(idsOf(here), [false]),
        stored(idsOf(there), [false]),
      ]);
      const again = [await makeKeyedCall([{ key }]), await makeKeyedCall([{ key }], { namespace: 'other' })];
      expect(await context.store.submit(again)).toEqual([stored(idsOf(here), [true]), stored(idsOf(there), [true])]);
    });

    it('work with a request id: a repeat gets the answer, another body is refused', async () => {
      const key = randomUUID();
      const request = { requestId: randomUUID(), bodyHash: bytes('body') };
      const first = await makeKeyedCall([{ key, policy: 'FAIL' }], request);
      expect(await submitOne(first)).toEqual(stored(idsOf(first), [false]));
      expect(await submitOne(await makeKeyedCall([{ key, policy: 'FAIL' }], request))).toEqual({
        ...stored(idsOf(first), [true]),
        repeated: true,
      });
      const reuse = await makeKeyedCall([{ key: randomUUID() }], { ...request, bodyHash: bytes('else') });
      expect(await submitOne(reuse)).toEqual({ kind: 'requestIdReused' });
      expect(await context.store.findJobs(idsOf(reuse))).toEqual([]);
    });

    it('leave no key behind if a concurrent call took the request id', async () => {
      for (let round = 0; round < 10; round++) {
        const request = { requestId: randomUUID(), bodyHash: bytes('body') };
        const keys = [randomUUID(), randomUUID()];
        const calls = await Promise.all(keys.map((key) => makeKeyedCall([{ key }], request)));
        const results = await Promise.all(calls.map(submitOne));
        const ids = results.map((result) => (result.kind === 'stored' ? result.jobs[0]?.jobId : undefined));
        expect(new Set(ids).size).toBe(1);
        const rows = await sql(
          context,
          `SELECT job_id FROM idempotency_keys WHERE idempotency_key IN ('${keys.join("', '")}')`,
        );
        expect(rows.map((row) => row.job_id)).toEqual([ids[0]]);
      }
    });

    it('create one job for concurrent flushes that share keys in any order', async () => {
      for (let round = 0; round < 10; round++) {
        const keys = Array.from({ length: 5 }, () => randomUUID());
        const orders = [keys, [...keys].reverse(), [...keys.slice(2), ...keys.slice(0, 2)], keys];
        const calls = await Promise.all(orders.map((order) => makeKeyedCall(order.map((key) => ({ key })))));
        const results = await Promise.all(calls.map(submitOne));
        const byKey = new Map<string, Set<string>>();
        for (const [c, result] of results.entries()) {
          if (result.kind !== 'stored') throw new Error(`call ${c}: ${result.kind}`);
          for (const [i, job] of result.jobs.entries()) {
            const key = orders[c]?.[i] as string;
            byKey.set(key, (byKey.get(key) ?? new Set()).add(job.jobId));
          }
        }
        expect([...byKey.values()].map((ids) => ids.size)).toEqual([1, 1, 1, 1, 1]);
        expect(await context.store.findJobs(calls.flatMap(idsOf))).toHaveLength(5);
      }
    });

    it('with REPLACE: are taken if free, and else return their owner and store nothing', async () => {
      const [key, free] = [randomUUID(), randomUUID()];
      const first = await makeKeyedCall([{ key, policy: 'REPLACE' }]);
      expect(await submitOne(first)).toEqual(stored(idsOf(first), [false]));
      const second = await makeKeyedCall([{ key: free }, { key, policy: 'REPLACE' }]);
      expect(await submitOne(second)).toEqual({ kind: 'keysHeld', held: [{ index: 1, jobId: idsOf(first)[0] }] });
      expect(await context.store.findJobs(idsOf(second))).toEqual([]);
      const rows = await sql(context, `SELECT FROM idempotency_keys WHERE idempotency_key = '${free}'`);
      expect(rows).toEqual([]);
    });

    it('with REPLACE: return first what can not be replaced, so that nothing is cancelled in vain', async () => {
      const [kept, key] = [randomUUID(), randomUUID()];
      const owners = await makeKeyedCall([{ key: kept }, { key }]);
      await submitOne(owners);
      const call = await makeKeyedCall([
        { key, policy: 'REPLACE' },
        { key: kept, policy: 'FAIL' },
      ]);
      expect(await submitOne(call)).toMatchObject({ kind: 'idempotencyConflict', index: 1 });
    });

    it('with REPLACE: move from the cancelled job, and from no other', async () => {
      const key = randomUUID();
      const first = await makeKeyedCall([{ key }]);
      await submitOne(first);
      const replacing = () =>
        makeKeyedCall([{ key, policy: 'REPLACE', content: 'new', replacedJobId: idsOf(first)[0] }]);
      const [second, third] = [await replacing(), await replacing()];
      const results = await Promise.all([submitOne(second), submitOne(third)]);
      const won = results.findIndex((result) => result.kind === 'stored');
      const [winner, loser] = won === 0 ? [second, third] : [third, second];
      expect(results[won]).toEqual(stored(idsOf(winner), [false]));
      expect(results[1 - won]).toEqual({ kind: 'keysHeld', held: [{ index: 0, jobId: idsOf(winner)[0] }] });
      expect(await context.store.findJobs(idsOf(loser))).toEqual([]);
      expect(await submitOne(await makeKeyedCall([{ key, content: 'new' }]))).toEqual(stored(idsOf(winner), [true]));
    });

    it('with REPLACE: move without deadlock if calls share several in any order', async () => {
      for (let round = 0; round < 10; round++) {
        const keys = Array.from({ length: 5 }, () => randomUUID());
        const first = await makeKeyedCall(keys.map((key) => ({ key })));
        await submitOne(first);
        const owner = new Map(keys.map((key, i) => [key, idsOf(first)[i]]));
        const orders = [keys, [...keys].reverse(), [...keys.slice(2), ...keys.slice(0, 2)]];
        const calls = await Promise.all(
          orders.map((order) =>
            makeKeyedCall(order.map((key) => ({ key, policy: 'REPLACE' as const, replacedJobId: owner.get(key) }))),
          ),
        );
        const kinds = (await Promise.all(calls.map(submitOne))).map((result) => result.kind).sort();
        expect(kinds).toEqual(['keysHeld', 'keysHeld', 'stored']);
      }
    });

    it('with REPLACE: answer a repeat with the same request id by its job, also after that was replaced', async () => {
      const key = randomUUID();
      const request = { requestId: randomUUID(), bodyHash: bytes('body') };
      const first = await makeKeyedCall([{ key, policy: 'REPLACE' }], request);
      await submitOne(first);
      const second = await makeKeyedCall([{ key, policy: 'REPLACE', replacedJobId: idsOf(first)[0] }]);
      expect(await submitOne(second)).toEqual(stored(idsOf(second), [false]));
      const repeat = await makeKeyedCall([{ key, policy: 'REPLACE' }], request);
      expect(await submitOne(repeat)).toEqual({ ...stored(idsOf(first), [true]), repeated: true });
    });

    it('repeat a flush of calls with and without keys that failed half-way', async () => {
      const laneId = await makeLane(context);
      const plain = makeCall([makeJob(laneId)]);
      const good = await makeKeyedCall([{ key: randomUUID() }]);
      const bad = await makeKeyedCall([{ key: 'nul \0 byte' }]);
      await expect(context.store.submit([plain, good, bad])).rejects.toMatchObject({ code: '22021' });
      expect(await context.store.submit([plain, good])).toEqual([
        stored(idsOf(plain), [false]),
        stored(idsOf(good), [false]),
      ]);
      expect(await context.store.findJobs([...idsOf(plain), ...idsOf(good)])).toHaveLength(2);
    });
  });
}
