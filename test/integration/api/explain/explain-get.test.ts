/** GetJob returns the wait reason of a ready job as an explanation does. */

import { waitReasonName } from '@muster-jobs/sdk';
import { WaitReason } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { QueueService } from '@muster-jobs/sdk/gen/muster/v1/queue_service_pb';
import type { Assignment } from '@muster-jobs/sdk/gen/muster/worker/v1/assignment_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseKinds } from '../../../support/databases/databases.ts';
import { offerOf, outcomes } from '../base/test-worker.ts';
import { World } from '../base/world.ts';
import { Explaining, idsOf, reasonsOf } from './explaining.ts';

const rateLimit = { units: 1, period: { seconds: 3_600n } };

describe.each(databaseKinds)('the wait reason of a ready job in GetJob on %s', (kind) => {
  let world: World;
  let ask: Explaining;

  beforeAll(async () => {
    world = await World.startOn(kind);
    ask = new Explaining(world);
  });

  afterAll(() => world?.stop());

  /** The reason of GetJob, after a check that the explanation has it first, in the same words. */
  async function reasonOf(jobId: string): Promise<string> {
    const { constraints } = await ask.explain(jobId);
    const { waitReason, stateReason } = await world.getJob(jobId);
    expect(waitReason).toBe(constraints[0]?.reason);
    if (waitReason !== WaitReason.IN_LINE) expect(stateReason).toBe(constraints[0]?.message);
    return waitReasonName(waitReason);
  }

  it('is that no worker serves it, then that all are busy, then that it is in line', async () => {
    const { definition } = await ask.define();
    const jobIds = await ask.submitMany(definition, 2);
    const [first = '', second = ''] = jobIds;
    expect(await reasonOf(first)).toBe('NO_WORKER');
    const worker = await world.openWorkerOf({ ...offerOf(definition), slots: 1 });
    expect(await reasonOf(second)).toBe('IN_LINE');
    const [attempt] = await worker.take(1);
    expect(idsOf([attempt as Assignment])).toEqual([first]);
    expect(await reasonOf(second)).toBe('IN_LINE');
    expect((await world.getJob(second)).stateReason).toBe('the one session that could take it has no free slot');
    expect(await ask.waitReasonOf(first)).toBe('');
    await worker.report({ of: attempt as Assignment, outcome: outcomes.result() });
    expect(await ask.waitReasonOf(first)).toBe('');
  });

  it('is IN_LINE also for the next job, which nothing stops', async () => {
    const { definition } = await ask.define();
    await world.openWorker(definition);
    const jobId = await world.submit(definition);
    expect(reasonsOf(await ask.explain(jobId))).toEqual([]);
    expect(await world.getJob(jobId)).toMatchObject({ waitReason: WaitReason.IN_LINE, stateReason: '' });
  });

  it.each(['queue', 'definition', 'key'] as const)(
    'is the rate of its %s, with the time of the next units',
    async (of) => {
      const { definition, queue } = await ask.define(
        {
          queue: {},
          definition: { rateLimit },
          key: { keyLimit: { rateLimit } },
        }[of],
      );
      if (of === 'queue') await world.rpc.call(QueueService.method.createQueue, { queue: { name: queue, rateLimit } });
      const [worker] = await ask.hold(definition, 1);
      const jobId = await world.submit(definition);
      await worker.offer(1);
      expect(await reasonOf(jobId)).toBe(`${of.toUpperCase()}_LIMIT`);
      expect((await world.getJob(jobId)).stateReason).toContain('1 each 3600 s');
    },
  );

  it('is only the stored one in a list', async () => {
    const { definition, queue } = await ask.define();
    await world.submit(definition);
    const { jobs } = await world.rpc.call(JobService.method.listJobs, { filter: { queue } });
    expect(jobs.map(({ waitReason }) => waitReason)).toEqual([WaitReason.UNSPECIFIED]);
  });
});
