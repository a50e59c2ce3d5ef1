/** Dependencies on a replica that has just started and has not loaded the jobs that they are on. */

import { join } from 'node:path';
import { BatchService } from '@muster-jobs/sdk/gen/muster/v1/batch_service_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../../server/api/base/code.ts';
import type { Database } from '../../../../server/store/driver/database.ts';
import { openPglite } from '../../../../server/store/driver/pglite.ts';
import { openPostgres } from '../../../../server/store/driver/postgres.ts';
import { eventually } from '../../../support/base/eventually.ts';
import { makeScratchFolder, removeFolder } from '../../../support/base/replica.ts';
import { databaseKinds } from '../../../support/databases/databases.ts';
import { sharedPostgres, type TestDatabases } from '../../../support/databases/postgres.ts';
import { outcomes } from '../base/test-worker.ts';
import { World } from '../base/world.ts';

const { addDependencies, submitJob } = JobService.method;
const HOUR = { start: { case: 'delay', value: { seconds: 3_600n } } } as const;

const onJob = (jobId: string) => ({ on: { case: 'jobId', value: jobId } }) as const;
const onStep = (workflowJobId: string, step: string) =>
  ({ on: { case: 'step', value: { workflowJobId, step } } }) as const;

describe.each(databaseKinds)('dependencies after a restart on %s', (kind) => {
  let world: World;
  let postgres: TestDatabases | undefined;
  let url: string | undefined;
  let dataFolder: string;

  const start = async () => {
    world = await World.startWith({ dataFolder, ...(url ? { postgresUrl: url } : {}) });
  };
  const open = async (): Promise<Database> =>
    url ? openPostgres({ url }) : openPglite({ dataDir: join(dataFolder, 'postgres') });

  beforeAll(async () => {
    dataFolder = await makeScratchFolder();
    if (kind === 'PostgreSQL') postgres = await sharedPostgres();
    url = await postgres?.createDatabase();
    await start();
  });

  afterAll(async () => {
    await world?.stop();
    await postgres?.stop();
    await removeFolder(dataFolder);
  });

  it('can be added behind steps of workflows', async () => {
    const task = await world.define();
    const steps = [{ name: 'one', definition: task }];
    const workflow = await world.define({ body: { case: 'workflow', value: { steps } } });
    const later = await world.submit(workflow, HOUR);
    const behind = await world.submit(task, { dependsOn: [onStep(later, 'one')] });
    const [held, other] = [await world.submit(task, HOUR), await world.submit(task, HOUR)];
    await world.stop();
    await start();
    await world.rpc.call(addDependencies, { jobId: held, dependsOn: [onJob(behind)] });
    expect(await world.stateOf(held)).toBe('BLOCKED');
    const circle = { jobId: later, dependsOn: [onJob(behind)] };
    await expect(world.rpc.call(addDependencies, circle)).rejects.toMatchObject({ code: Code.FAILED_PRECONDITION });
    expect(await world.stateOf(other)).toBe('SCHEDULED');
  });

  it('are accepted in new members of a batch', async () => {
    const task = await world.define();
    const steps = [{ name: 'one', definition: task }];
    const workflow = await world.define({ body: { case: 'workflow', value: { steps } } });
    const later = await world.submit(workflow, HOUR);
    const behind = await world.submit(task, { dependsOn: [onStep(later, 'one')] });
    const { batch } = await world.rpc.call(BatchService.method.createBatch, { batch: {} });
    await world.stop();
    await start();
    const job = { definition: task, dependsOn: [onJob(behind)] };
    const { jobId } = await world.rpc.call(submitJob, { job, batchJobId: batch?.job?.jobId ?? '' });
    expect(await world.stateOf(jobId)).toBe('BLOCKED');
  });

  it('are settled by ends that were published before', async () => {
    const { worker, jobId, attempt } = await world.hold({ publishes: ['prices'] });
    await worker.report({ of: attempt, outcome: outcomes.result() });
    const task = await world.define();
    const waiting = await world.submit(task, { dependsOn: [{ on: { case: 'asset', value: { name: 'prices' } } }] });
    expect(await world.stateOf(waiting)).toBe('BLOCKED');
    await world.stop();
    // The state after a crash between the end of a job and its publication.
    const database = await open();
    const notify = `INSERT INTO muster.job_inbox (subject_id, kind, state, lane_id, entry_time)
                  SELECT job_id, 9, 9, lane_id, now() FROM muster.jobs WHERE job_id = $1`;
    await database.run({ name: 'tell', text: notify }, [jobId]);
    await database.close();
    await start();
    await eventually('it is released', async () => (await world.stateOf(waiting)) === 'READY');
  });
});
