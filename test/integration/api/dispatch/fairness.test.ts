/** Fairness keys over the wire: their sources, and the order that they give. */

import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { QueueService } from '@muster-jobs/sdk/gen/muster/v1/queue_service_pb';
import type { Assignment } from '@muster-jobs/sdk/gen/muster/worker/v1/assignment_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../../server/api/base/code.ts';
import { uuidFromBytes } from '../../../../server/domain/base/uuid.ts';
import { databaseKinds } from '../../../support/databases/databases.ts';
import { runsAll } from '../../../support/run/cases.ts';
import { outcomes, type TestWorker } from '../base/test-worker.ts';
import { World } from '../base/world.ts';

const { submitJob, submitJobs } = JobService.method;
const json = (value: unknown) => ({ input: { data: Buffer.from(JSON.stringify(value)) } });
const idOf = ({ jobId }: Assignment) => uuidFromBytes(jobId);

describe.each(databaseKinds)('fairness on %s', (kind) => {
  let world: World;

  beforeAll(async () => {
    world = await World.startOn(kind);
  });

  afterAll(() => world?.stop());

  const submitMany = async (definition: string, count: number, fairnessKey: string) => {
    const jobs = Array.from({ length: count }, () => ({ definition, fairnessKey }));
    return (await world.rpc.call(submitJobs, { jobs })).jobs.map(({ jobId }) => jobId);
  };

  /** Runs that many jobs, one after another, and returns their ids. */
  async function runOneByOne(worker: TestWorker, count: number): Promise<string[]> {
    const jobIds: string[] = [];
    for (let i = 0; i < count; i++) {
      const [of] = (await worker.take(1)) as [Assignment];
      await worker.report({ of, outcome: outcomes.result() });
      jobIds.push(idOf(of));
    }
    return jobIds;
  }

  it.runIf(runsAll)('gives a new key the next turn, however many jobs of others wait', async () => {
    const definition = await world.define();
    const worker = await world.openWorkerOf({
      workerName: 'one-slot',
      protocolVersion: 1,
      slots: 1,
      handlers: [{ name: definition }],
    });
    const many = await submitMany(definition, 2_000, 'many');
    expect(await runOneByOne(worker, 3)).toEqual(many.slice(0, 3));
    const [single = ''] = await submitMany(definition, 1, 'single');
    expect(await runOneByOne(worker, 3)).toContain(single);
  });

  it('shares by the weights of the queue', async () => {
    const name = `weighted-${kind.toLowerCase()}`;
    await world.rpc.call(QueueService.method.createQueue, { queue: { name, fairnessWeights: { heavy: 3 } } });
    const definition = await world.define({ queue: name });
    const worker = await world.openWorker(definition);
    const light = await submitMany(definition, 100, 'light');
    const heavy = new Set(await submitMany(definition, 100, 'heavy'));
    const taken = (await worker.take(40)).map(idOf);
    const ofHeavy = taken.filter((jobId) => heavy.has(jobId)).length;
    expect(ofHeavy).toBeGreaterThanOrEqual(28);
    expect(ofHeavy).toBeLessThanOrEqual(32);
    expect(taken).toContain(light[0]);
  });

  it('ranks below a priority', async () => {
    const definition = await world.define();
    const worker = await world.openWorker(definition);
    await submitMany(definition, 50, 'calm');
    const urgent = await world.submit(definition, { fairnessKey: 'urgent', priority: 50 });
    const more = await world.submit(definition, { fairnessKey: 'urgent', priority: 50 });
    expect((await worker.take(2)).map(idOf)).toEqual([urgent, more]);
  });

  it('takes the key from the submission, else from the expression, else uses none', async () => {
    const definition = await world.define({ fairnessKey: 'has(input.tenant) ? input.tenant : null' });
    const keyOf = async (changes: object) => (await world.getJob(await world.submit(definition, changes))).fairnessKey;
    expect(await keyOf(json({ tenant: 'acme' }))).toBe('acme');
    expect(await keyOf(json({ tenant: 7 }))).toBe('7');
    expect(await keyOf(json({}))).toBe('');
    expect(await keyOf({ ...json({ tenant: 'acme' }), fairnessKey: 'mine' })).toBe('mine');
    const byLabel = await world.define({ fairnessKey: 'labels.team' });
    expect((await world.getJob(await world.submit(byLabel, { labels: { team: 'a' } }))).fairnessKey).toBe('a');
  });

  it('refuses a job whose expression has no value, and names its input', async () => {
    const definition = await world.define({ fairnessKey: 'input.tenant' });
    const one = await world.rpc.refused(submitJob, { job: { definition, ...json({}) } });
    expect(one).toMatchObject({ code: Code.INVALID_ARGUMENT, fields: ['job.input'] });
    expect(one.message).toMatch(/^job\.input gives no fairness_key by input\.tenant: /);
    const jobs = [
      { definition, ...json({ tenant: 'a' }) },
      { definition, ...json({ tenant: ['a'] }) },
    ];
    expect(await world.rpc.refused(submitJobs, { jobs })).toMatchObject({ fields: ['jobs[1].input'] });
    expect((await world.rpc.call(JobService.method.listJobs, { filter: { definition } })).jobs).toEqual([]);
  });
});
