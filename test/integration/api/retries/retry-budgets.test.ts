/** Retry budgets as workers and users see them: retries beyond the budget wait, and use no attempt meanwhile. */

import { JobDefinitionService } from '@muster-jobs/sdk/gen/muster/v1/job_definition_service_pb';
import type { Job } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { uuidFromBytes } from '../../../../server/domain/base/uuid.ts';
import { eventually } from '../../../support/base/eventually.ts';
import { databaseKinds } from '../../../support/databases/databases.ts';
import { outcomes } from '../base/test-worker.ts';
import { World } from '../base/world.ts';

const soon = { nanos: 1_000_000 };
const retryPolicy = { maxAttempts: 9, minBackoff: soon, maxBackoff: soon };
const isWaiting = (job: Job) => job.stateReason.startsWith('waits for room in the retry budget');

describe.each(databaseKinds)('retry budgets on %s', (kind) => {
  let world: World;

  beforeAll(async () => {
    world = await World.startOn(kind);
  });

  afterAll(() => world?.stop());

  /** Jobs that have each failed once. */
  async function failMany(definition: string, count: number) {
    const worker = await world.openWorker(definition);
    const jobIds = await Promise.all(Array.from({ length: count }, () => world.submit(definition)));
    const attempts = await worker.take(count);
    await worker.report(...attempts.map((of) => ({ of, outcome: outcomes.failure() })));
    return { worker, jobIds };
  }

  it('start as many retries as they allow, and let the others wait for the next minute', async () => {
    const definition = await world.define({ retryPolicy, retryBudget: { ratio: 0.1, minPerMinute: 2 } });
    const { worker, jobIds } = await failMany(definition, 12);
    const read = () => Promise.all(jobIds.map((jobId) => world.getJob(jobId)));
    const jobs = await eventually('each is ready again or waits for the budget', async () => {
      const now = await read();
      return now.every((job) => job.state === 3 || isWaiting(job)) && now;
    });
    // If a minute had ended meanwhile, two more would have started.
    const ready = jobs.filter((job) => job.state === 3);
    expect([2, 4]).toContain(ready.length);
    for (const job of jobs.filter(isWaiting)) {
      expect(job).toMatchObject({ state: 2, attempt: 1, attemptCount: 1, sessionId: '' });
      expect(job.stateReason).toBe(
        `waits for room in the retry budget of ${definition}: this minute's retries are used up`,
      );
      expect([Number(job.runTime?.seconds) % 60, job.runTime?.nanos]).toEqual([0, 0]);
    }
    const again = await worker.take(ready.length);
    expect(again.map(({ jobId }) => uuidFromBytes(jobId)).sort()).toEqual(ready.map((job) => job.jobId).sort());
  });

  it('do not apply to first attempts and to definitions without a budget', async () => {
    const retryBudget = { minPerMinute: 1 };
    const [bounded, free] = [await world.define({ retryPolicy, retryBudget }), await world.define({ retryPolicy })];
    await failMany(bounded, 5);
    const others = await failMany(free, 5);
    await others.worker.take(5);
    const worker = await world.openWorker(bounded);
    await world.submit(bounded);
    await world.submit(bounded, { start: { case: 'delay', value: soon } });
    const attempts = await worker.take(2);
    expect(attempts.filter((attempt) => attempt.attemptCount === 0).length).toBeGreaterThanOrEqual(1);
  });

  it('are part of the definition, with defaults filled in', async () => {
    const name = await world.define({ retryBudget: { ratio: 0.25 } });
    const { definition } = await world.rpc.call(JobDefinitionService.method.getJobDefinition, { name });
    expect(definition?.retryBudget).toMatchObject({ ratio: 0.25, minPerMinute: 10 });
  });
});
