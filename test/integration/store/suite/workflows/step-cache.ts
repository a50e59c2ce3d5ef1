/** Cached results that steps of workflows share: what is stored, what is found, and for how long. */
import { createHash, randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { systemFailure } from '../../../../../server/domain/base/payload.ts';
import { definitionDefaults } from '../../../../../server/domain/definitions/definition.ts';
import { decideFail } from '../../../../../server/domain/jobs/decide.ts';
import type { KeptResult } from '../../../../../server/engine/ports/workflows.ts';
import { type StoreContext, sql } from '../../../../support/store/store-context.ts';
import { completionOf, holdOne, readRow } from '../../../../support/store/store-fixtures.ts';

const HOUR_MS = 3_600_000;

export function stepCacheSuite(context: StoreContext): void {
  const newKey = () => createHash('sha256').update(randomUUID()).digest();
  const find = (keyHash: Uint8Array, namespace = 'default') => context.store.stepCache.find(namespace, keyHash);
  const keep = (...kept: KeptResult[]) => context.store.together((store) => store.stepCache.keep(kept));
  const keptOf = (keyHash: Uint8Array, jobId: string, maxAgeMs = HOUR_MS): KeptResult => ({
    namespace: 'default',
    keyHash,
    jobId,
    maxAgeMs,
  });

  async function succeeded(): Promise<string> {
    const held = await holdOne(context);
    await context.store.complete([completionOf(held)]);
    return held.jobId;
  }

  describe('a cached result', () => {
    it('is found by its key and namespace, with the end of its job and its lifetime', async () => {
      const [keyHash, jobId] = [newKey(), await succeeded()];
      const beforeUs = await context.store.nowUs();
      await keep(keptOf(keyHash, jobId));
      const found = await find(keyHash);
      expect(found).toMatchObject({ jobId, endTimeUs: (await readRow(context, 'job_outcomes', jobId))?.end_time });
      const forUs = (found?.untilUs ?? 0) - beforeUs;
      expect(found?.nowUs).toBeGreaterThan(beforeUs);
      expect(forUs).toBeGreaterThanOrEqual(HOUR_MS * 1_000);
      expect(forUs).toBeLessThan((HOUR_MS + 60_000) * 1_000);
      expect([await find(newKey()), await find(keyHash, 'other')]).toEqual([undefined, undefined]);
    });

    it('is replaced by a later one, and the longest lifetime stays', async () => {
      const [keyHash, first, second] = [newKey(), await succeeded(), await succeeded()];
      await keep(keptOf(keyHash, first));
      const untilUs = (await find(keyHash))?.untilUs;
      await keep(keptOf(keyHash, second, 1_000));
      expect(await find(keyHash)).toMatchObject({ jobId: second, untilUs });
      await keep(keptOf(keyHash, first, 2 * HOUR_MS));
      expect((await find(keyHash))?.untilUs).toBeGreaterThan(untilUs as number);
    });

    it('of several results of one transaction is that of the youngest job', async () => {
      const [keyHash, other] = [newKey(), newKey()];
      const [first, second] = [await succeeded(), await succeeded()].sort() as [string, string];
      await keep(keptOf(keyHash, second, 1_000), keptOf(other, first), keptOf(keyHash, first));
      expect([(await find(keyHash))?.jobId, (await find(other))?.jobId]).toEqual([second, first]);
    });

    it('is not found if its job failed, does not exist or is erased, and nor is its key', async () => {
      const held = await holdOne(context);
      const failure = systemFailure('APPLICATION', 'Oops', 'it broke');
      const policy = { ...definitionDefaults.retryPolicy, maxAttempts: 1 };
      await context.store.change({ by: 'attempts', attempts: [held] }, (run, nowUs) =>
        decideFail(run, failure, policy, { nowUs, random: 0 }),
      );
      const [failed, gone, erased, jobId] = [newKey(), newKey(), newKey(), await succeeded()];
      await keep(keptOf(failed, held.jobId), keptOf(gone, randomUUID()), keptOf(erased, jobId));
      expect([await find(failed), await find(gone)]).toEqual([undefined, undefined]);
      expect(await find(erased)).toBeDefined();
      await context.store.eraseJob({ namespace: 'default', jobId, reason: 'asked for', auditId: randomUUID() });
      expect(await find(erased)).toBeUndefined();
      expect(await sql(context, `SELECT FROM step_cache WHERE job_id = '${jobId}'`)).toEqual([]);
      // A transaction that had read the result before stores it again.
      await keep(keptOf(erased, jobId));
      expect(await find(erased)).toBeUndefined();
    });

    it('is stored with a whole transaction or not at all', async () => {
      const [keyHash, jobId] = [newKey(), await succeeded()];
      const broken = context.store.together(async (store) => {
        await store.stepCache.keep([keptOf(keyHash, jobId)]);
        throw new Error('the replica died');
      });
      await expect(broken).rejects.toThrow('the replica died');
      expect(await find(keyHash)).toBeUndefined();
    });

    it.skipIf(context.kind === 'PGlite')('of transactions that share keys causes no deadlock', async () => {
      const [a, b] = [newKey(), newKey()];
      const jobId = await succeeded();
      const both = (keys: Uint8Array[]) => keep(...keys.map((keyHash) => keptOf(keyHash, jobId)));
      await Promise.all(Array.from({ length: 40 }, (_, i) => both(i % 2 === 0 ? [a, b] : [b, a])));
      expect(await find(a)).toMatchObject({ jobId });
    });
  });
}
