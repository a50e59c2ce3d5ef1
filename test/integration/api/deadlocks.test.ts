/**
 * Handlers that wait for jobs by calls: a deadlock is found and reported, and waits that can still end are left alone.
 */

import type { Assignment } from '@muster/sdk/gen/muster/v1/assignment_pb';
import { BatchService } from '@muster/sdk/gen/muster/v1/batch_service_pb';
import { DependencyCondition } from '@muster/sdk/gen/muster/v1/dependency_pb';
import { JobState, WaitReason } from '@muster/sdk/gen/muster/v1/job_pb';
import { JobService } from '@muster/sdk/gen/muster/v1/job_service_pb';
import { QueueService } from '@muster/sdk/gen/muster/v1/queue_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../server/api/base/code.ts';
import { sumOf } from '../../../server/cli/top/metrics-text.ts';
import { uuidFromBytes } from '../../../server/domain/base/uuid.ts';
import { databaseKinds } from '../../support/databases.ts';
import { eventually } from '../../support/eventually.ts';
import { readMetrics } from '../../support/replica-metrics.ts';
import { Explaining, reasonsOf } from './explaining.ts';
import { Refusal } from './rpc.ts';
import { offerOf, outcomes } from './test-worker.ts';
import { stateName, World } from './world.ts';

const { submitJob, waitJob } = JobService.method;
const { createBatch } = BatchService.method;
const { createQueue } = QueueService.method;
const idOf = ({ jobId }: Assignment) => uuidFromBytes(jobId);
const done = outcomes.result();

describe.each(databaseKinds)('deadlock detection for handlers that wait on %s', (kind) => {
  let world: World;
  let explaining: Explaining;
  let names = 0;

  beforeAll(async () => {
    world = await World.startOn(kind);
    explaining = new Explaining(world);
  });

  afterAll(() => world?.stop());

  const request = (waitingJobId: string, jobId: string) => ({ waitingJobId, jobId, timeout: { seconds: 60n } });
  const waits = (waitingJobId: string, jobId: string) =>
    world.rpc.call(waitJob, request(waitingJobId, jobId), { timeoutMs: 70_000 });
  const refused = (waitingJobId: string, jobId: string): Promise<Refusal> =>
    world.rpc.refused(waitJob, request(waitingJobId, jobId), { timeoutMs: 70_000 });

  /**
   * Repeats the wait whenever it is refused, until its outcome is requested, so that the search has the time it needs.
   */
  function waitOn(waitingJobId: string, jobId: string) {
    let [isOver, cancel] = [false, () => {}];
    const call = () =>
      world.rpc.call(waitJob, request(waitingJobId, jobId), {
        timeoutMs: 70_000,
        onCall: (one) => {
          cancel = () => one.cancel();
        },
      });
    const last = (async () => {
      for (;;) {
        const answer = await call().catch((refusal: Refusal) => refusal);
        if (isOver || !(answer instanceof Refusal) || answer.reason !== 'DEADLOCK') return answer;
      }
    })();
    const refusal = () => {
      isOver = true;
      return last as Promise<Refusal>;
    };
    const giveUp = () => {
      isOver = true;
      cancel();
      return last as Promise<Refusal>;
    };
    return { last, refusal, giveUp };
  }

  async function makeQueue(maxConcurrency: number): Promise<string> {
    const name = `narrow-${++names}`;
    await world.rpc.call(createQueue, { queue: { name, maxConcurrency } });
    return name;
  }

  /** A worker with that many slots, which holds that many jobs of the definition. */
  async function hold(definition: string | string[], count: number, offer: object = {}) {
    const [first = '', ...others] = [definition].flat();
    const worker = await world.openWorkerOf({ ...offerOf(first, ...others), ...offer });
    const jobIds = await explaining.submitMany(first, count);
    await worker.take(count);
    return { worker, jobIds };
  }

  const explained = async (jobId: string) => (await explaining.constraintOf(jobId, WaitReason.DEADLOCK)).message;
  const eventuallyExplained = (jobId: string) =>
    eventually(`job ${jobId} is told to be in a deadlock`, () => explained(jobId));

  it('finds a deadlock in a queue with one slot, in both explanations and in the wait call', async () => {
    const queue = await makeQueue(1);
    const definition = await world.define({ queue });
    const { worker, jobIds } = await hold(definition, 1);
    const [parent = ''] = jobIds;
    const child = await world.submit(definition);
    const behind = await world.submit(definition);
    const waiting = waitOn(parent, child);
    const place = `waits for a place in queue ${queue} (max_concurrency 1), which is held by`;
    const message = await eventuallyExplained(child);
    expect(message).toMatch(
      `it is in a deadlock: job ${child} (READY) ${place} job ${parent} (ASSIGNED on worker test-worker), which waits for job ${child}`,
    );
    const circle = `job ${parent} (ASSIGNED on worker test-worker) waits for job ${child} (READY), which ${place} job ${parent}`;
    expect(await eventuallyExplained(parent)).toBe(`it is in a deadlock: ${circle}`);
    expect(await eventuallyExplained(behind)).toBe(
      `it is in a deadlock: job ${behind} (READY) ${place} job ${parent} (ASSIGNED on worker test-worker), which waits for job ${child} (READY), which ${place} job ${parent}`,
    );
    await eventually('both reasons are told', async () => {
      expect(reasonsOf(await explaining.explain(child))).toEqual(['DEADLOCK', 'QUEUE_LIMIT']);
      return true;
    });
    const { code, reason, info, message: text } = await waiting.refusal();
    expect([code, reason]).toEqual([Code.FAILED_PRECONDITION, 'DEADLOCK']);
    expect(info?.metadata).toEqual({ job_id: child, waiting_job_id: parent, circle });
    expect(text).toContain('ctx.wait');
    // No handler waits any more, so there is no deadlock.
    await eventually(
      'it is told no more',
      async () => !reasonsOf(await explaining.explain(child)).includes('DEADLOCK'),
    );
    await worker.report({ of: worker.assigned[0] as Assignment, outcome: done });
    expect((await worker.take(1)).map(idOf)).toEqual([child]);
  });

  it('finds one at the only slot of the only worker, and none if another worker can take the child', async () => {
    const [one, other] = [await world.define(), await world.define()];
    const stuck = await hold(one, 1, { slots: 1, workerName: 'lonely' });
    const free = await hold(other, 1, { slots: 1 });
    const second = await world.openWorker(other);
    const [child, continuing] = [await world.submit(one), await world.submit(other)];
    const [parent = '', patient = ''] = [...stuck.jobIds, ...free.jobIds];
    const answer = waits(patient, continuing);
    const waiting = waitOn(parent, child);
    expect(await eventuallyExplained(parent)).toBe(
      `it is in a deadlock: job ${parent} (ASSIGNED on worker lonely) waits for job ${child} (READY), which waits for room at worker lonely (slots 1), which is held by job ${parent}`,
    );
    for (const jobId of [patient, continuing])
      expect(reasonsOf(await explaining.explain(jobId))).not.toContain('DEADLOCK');
    expect((await waiting.refusal()).reason).toBe('DEADLOCK');
    const [of] = await second.take(1);
    await second.report({ of: of as Assignment, outcome: done });
    expect(stateName((await answer).job?.state ?? 0)).toBe('SUCCEEDED');
  });

  it('finds one at a key limit, and none while one of its holders can end', async () => {
    const keyed = (maxConcurrency: number) => world.define({ keyLimit: { key: '"all"', maxConcurrency } });
    const narrow = await hold(await keyed(1), 1);
    const wide = await hold(await keyed(2), 2);
    const definitionOf = async (jobId = '') => (await world.getJob(jobId)).definition;
    const child = await world.submit(await definitionOf(narrow.jobIds[0]));
    const continuing = await world.submit(await definitionOf(wide.jobIds[0]));
    const [parent = ''] = narrow.jobIds;
    const [patient = '', other = ''] = wide.jobIds;
    const answer = waits(patient, continuing);
    const waiting = waitOn(parent, child);
    expect(await eventuallyExplained(child)).toContain('waits for a place under the limit of its key of definition');
    expect(reasonsOf(await explaining.explain(continuing))).not.toContain('DEADLOCK');
    expect((await waiting.refusal()).reason).toBe('DEADLOCK');
    // Once the other holder waits as well, both wait forever.
    const [first, last] = await Promise.all([answer.catch((error) => error), refused(other, continuing)]);
    expect([first.reason, last.reason]).toEqual(['DEADLOCK', 'DEADLOCK']);
    expect(last.info?.metadata.circle).toContain('and 1 more that waits like it');
  });

  it('finds ones through dependencies, through resources, and of a job with itself', async () => {
    const gpu = await world.define({ demands: { resources: { gpu: 2 } } });
    const plain = await world.define();
    const { worker, jobIds } = await hold([gpu, plain], 1, { resources: { gpu: 2 } });
    const [parent = ''] = jobIds;
    const needs = await world.submit(gpu);
    const after = await world.submit(plain, {
      dependencies: [{ on: { case: 'jobId', value: needs }, condition: DependencyCondition.ENDED }],
    });
    const waiting = waitOn(parent, after);
    expect(await eventuallyExplained(after)).toMatch(
      `job ${after} (BLOCKED) waits for job ${needs} (READY), which waits for room at worker test-worker (slots 100), which is held by job ${parent}`,
    );
    expect((await waiting.refusal()).reason).toBe('DEADLOCK');
    expect((await refused(parent, parent)).info?.metadata.circle).toBe(
      `job ${parent} (ASSIGNED on worker test-worker) waits for job ${parent}`,
    );
    await worker.report({ of: worker.assigned[0] as Assignment, outcome: done });
  });

  it('finds ones through batches when no member can end, and counts them', async () => {
    const count = async () => sumOf(await readMetrics(world.replica.httpAddress), 'muster_deadlock_ended_total') ?? 0;
    const [before, narrow, free] = [
      await count(),
      await world.define({ queue: await makeQueue(1) }),
      await world.define(),
    ];
    const { worker, jobIds } = await hold([narrow, free], 1);
    const [parent = ''] = jobIds;
    const batchJobId = (await world.rpc.call(createBatch, {})).batch?.job?.jobId ?? '';
    for (const definition of [narrow, free]) await world.rpc.call(submitJob, { job: { definition }, batchJobId });
    const refusal = refused(parent, batchJobId);
    // A second deadlock: when it is reported, both calls have been checked twice.
    const other = await hold(await world.define({ queue: await makeQueue(1) }), 1);
    expect((await refused(other.jobIds[0] ?? '', other.jobIds[0] ?? '')).reason).toBe('DEADLOCK');
    for (const jobId of [parent, batchJobId])
      expect(reasonsOf(await explaining.explain(jobId))).not.toContain('DEADLOCK');
    const [of] = await worker.take(1);
    await worker.report({ of: of as Assignment, outcome: done });
    expect((await refusal).info?.metadata.circle).toMatch(
      new RegExp(
        `^job ${parent} .* waits for job ${batchJobId} \\(WAITING\\), which waits for job .* waits for a place in queue`,
      ),
    );
    await eventually('both are counted', async () => (await count()) >= before + 2);
  });

  it('ignores stale waits: calls that were given up, attempts that have ended', async () => {
    const definition = await world.define({ queue: await makeQueue(1) });
    const { worker, jobIds } = await hold(definition, 1);
    const [parent = ''] = jobIds;
    const child = await world.submit(definition);
    const given = waitOn(parent, child);
    await eventuallyExplained(child);
    expect((await given.giveUp()).code).toBe(Code.CANCELLED);
    await eventually(
      'the call is forgotten',
      async () => !reasonsOf(await explaining.explain(child)).includes('DEADLOCK'),
    );
    // The call continues, but its handler has returned: the job that it waits for ends in its turn.
    const { last } = waitOn(parent, child);
    await eventuallyExplained(child);
    await worker.report({ of: worker.assigned[0] as Assignment, outcome: done });
    expect(reasonsOf(await explaining.explain(child))).not.toContain('DEADLOCK');
    const [of] = await worker.take(1);
    await worker.report({ of: of as Assignment, outcome: done });
    expect(await last).toMatchObject({ job: { jobId: child, state: JobState.SUCCEEDED } });
  });

  it('ignores waits that name an unknown job or one that no session holds', async () => {
    const { jobIds, worker } = await hold(await world.define(), 1);
    const [target = ''] = jobIds;
    const ready = await world.submit(await world.define());
    const answers = [ready, crypto.randomUUID()].map((waiting) => waits(waiting, target));
    await worker.report({ of: worker.assigned[0] as Assignment, outcome: done });
    for (const answer of answers) expect(stateName((await answer).job?.state ?? 0)).toBe('SUCCEEDED');
  });
});
