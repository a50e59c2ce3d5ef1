/** Placement over the wire: demands, resources and sticky workers, with real sessions on both stores. */

import { JobDefinitionService } from '@muster-jobs/sdk/gen/muster/v1/job_definition_service_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { StickyMode } from '@muster-jobs/sdk/gen/muster/v1/placement_pb';
import { Jitter } from '@muster-jobs/sdk/gen/muster/v1/retry_policy_pb';
import type { Assignment } from '@muster-jobs/sdk/gen/muster/worker/v1/assignment_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { uuidFromBytes } from '../../../../server/domain/base/uuid.ts';
import { eventually } from '../../../support/base/eventually.ts';
import { databaseKinds } from '../../../support/databases/databases.ts';
import { offerOf, outcomes, type TestWorker } from '../base/test-worker.ts';
import { World } from '../base/world.ts';

const { applyJobDefinition } = JobDefinitionService.method;
const { retryJob } = JobService.method;
const idOf = ({ jobId }: Assignment) => uuidFromBytes(jobId);
const done = outcomes.result();

describe.each(databaseKinds)('placement on %s', (kind) => {
  let world: World;

  beforeAll(async () => {
    world = await World.startOn(kind);
  });

  afterAll(() => world?.stop());

  const openWith = (definition: string | string[], offer: object) =>
    world.openWorkerOf({ ...offerOf(...[definition].flat()), ...offer });
  const assignedOf = (worker: TestWorker) => worker.assigned.map(idOf);
  const reasonOf = async (jobId: string) => (await world.getJob(jobId)).stateReason;

  /** Offers slots and proves that nothing arrives: a job of another definition is assigned after every waiting one. */
  async function takesNothing(worker: TestWorker, marker: string): Promise<void> {
    const before = assignedOf(worker);
    const jobId = await world.submit(marker, { priority: -100 });
    await worker.offer(20);
    await eventually('the marker is assigned', () => assignedOf(worker).includes(jobId));
    expect(assignedOf(worker).filter((id) => !before.includes(id))).toEqual([jobId]);
  }

  it('takes the resources of a job from its session, and returns them at its end', async () => {
    const [gpu, marker] = [await world.define({ demands: { resources: { gpu: 1, cpu: 0.5 } } }), await world.define()];
    const worker = await openWith([gpu, marker], { resources: { gpu: 2, cpu: 8 } });
    const jobIds = [await world.submit(gpu), await world.submit(gpu), await world.submit(gpu)];
    const [first] = await worker.take(2);
    await takesNothing(worker, marker);
    expect(await reasonOf(jobIds[2] ?? '')).toMatch(/^waits for capacity: it takes cpu 0.5, gpu 1; worker test-worker/);
    await worker.report({ of: first as Assignment, outcome: done });
    await eventually('the third is assigned', () => assignedOf(worker).includes(jobIds[2] ?? ''));
  });

  it('shows that no session could ever run a job, until one opens that can', async () => {
    const definition = await world.define();
    const small = await openWith(definition, { resources: { gpu: 1, licence: 0 } });
    await small.becomeReachable();
    const jobId = await world.submit(definition, { demands: { resources: { gpu: 4 } } });
    expect(await reasonOf(jobId)).toBe(
      'no connected worker could ever run it: it takes gpu 4; the most that one offers is gpu 1',
    );
    const large = await openWith(definition, { resources: { gpu: 4 } });
    expect((await large.take(1)).map(idOf)).toEqual([jobId]);
  });

  it('starts a big job although small ones never end, after a long wait', async () => {
    const [small, big] = [
      await world.define({ demands: { resources: { gpu: 1 } } }),
      await world.define({ demands: { resources: { gpu: 2 } } }),
    ];
    const worker = await openWith([small, big], { resources: { gpu: 2 } });
    for (let i = 0; i < 2; i++) await world.submit(small);
    await worker.take(2);
    const bigId = await world.submit(big);
    const reported = new Set<string>();
    let polls = 0;
    const probe = async () => {
      await world.submit(small);
      await worker.offer(2);
      await worker.catchUp();
      const running = worker.assigned.filter((one) => !reported.has(idOf(one)));
      // One job ends at a time, after another one runs next to it, so there is never capacity for the big one. The last
      // one ends when nothing else has started for a long time.
      polls = running.length === 1 ? polls + 1 : 0;
      const [next] = running;
      if (next && (running.length > 1 || polls > 20) && !assignedOf(worker).includes(bigId)) {
        reported.add(idOf(next));
        await worker.report({ of: next, outcome: done });
      }
      return assignedOf(worker).includes(bigId);
    };
    await eventually('the big one is assigned', probe, { timeoutMs: 60_000 });
    expect(reported.size).toBeGreaterThan(5);
  });

  it('follows label expressions: required ones are met, preferred ones come first', async () => {
    const [chosen, marker] = [
      await world.define({ demands: { required: 'labels.zone in ["a", "b"]' } }),
      await world.define(),
    ];
    const [c, b] = [
      await openWith([chosen, marker], { labels: { zone: 'c' } }),
      await openWith(chosen, { labels: { zone: 'b' } }),
    ];
    const jobId = await world.submit(chosen);
    await c.becomeReachable();
    await takesNothing(c, marker);
    expect((await b.take(1)).map(idOf)).toEqual([jobId]);

    const rather = await world.define({ demands: { preferred: 'has(labels.ssd)' } });
    const [plain, ssd] = [await openWith(rather, {}), await openWith(rather, { labels: { ssd: 'yes' } })];
    for (const worker of [plain, ssd]) await worker.becomeReachable();
    await plain.offer(3);
    await ssd.offer(1);
    const two = [await world.submit(rather), await world.submit(rather)];
    // The first job takes the slot of the better worker; the second waits for another one, and then takes any.
    await eventually('both are assigned', () => assignedOf(plain).length + assignedOf(ssd).length === 2);
    expect(assignedOf(ssd)).toEqual([two[0]]);
    expect(assignedOf(plain)).toEqual([two[1]]);
  });

  it('keeps a job on the worker of an earlier one: softly if that offers a slot, or hard for any time', async () => {
    const definition = await world.define();
    const [a, b] = [
      await openWith(definition, { workerName: `a-${kind.toLowerCase()}` }),
      await openWith(definition, { workerName: `b-${kind.toLowerCase()}` }),
    ];
    const earlier = await world.submit(definition);
    const [first] = await a.take(1);
    await a.report({ of: first as Assignment, outcome: done });
    for (const worker of [b, a]) await worker.becomeReachable();
    await b.offer(10);
    const hard = await world.submit(definition, { sticky: { jobId: earlier, mode: StickyMode.HARD } });
    const soft = await world.submit(definition, { sticky: { jobId: earlier } });
    await eventually('the soft one goes elsewhere', () => assignedOf(b).includes(soft));
    expect(assignedOf(b)).not.toContain(hard);
    await a.offer(5);
    await eventually('the hard one is assigned', () => assignedOf(a).includes(hard));
    const near = await world.submit(definition, { sticky: { jobId: earlier } });
    await eventually('the soft one keeps to its worker', () => assignedOf(a).includes(near));
    await a.report(...a.assigned.slice(1).map((of) => ({ of, outcome: done })));
    await a.close();
    const late = await world.submit(definition, { sticky: { jobId: earlier, mode: StickyMode.HARD } });
    expect(await reasonOf(late)).toMatch(/^waits for worker a-\w+, which it keeps to/);
    const again = await openWith(definition, { workerName: `a-${kind.toLowerCase()}` });
    expect((await again.take(1)).map(idOf)).toEqual([late]);
  });

  it('gives a session the versions that it names', async () => {
    const name = await world.define();
    const first = await world.submit(name);
    const definition = { name, body: { case: 'task', value: {} }, description: 'the second' } as const;
    await world.rpc.call(applyJobDefinition, { definition });
    const second = await world.submit(name);
    const [old, young] = [
      await openWith(name, { handlers: [{ name, minVersion: 1, maxVersion: 1 }] }),
      await openWith(name, { handlers: [{ name, minVersion: 2 }] }),
    ];
    expect((await young.take(1)).map(idOf)).toEqual([second]);
    expect((await old.take(1)).map(idOf)).toEqual([first]);
  });

  it('gives an attempt after an out-of-memory kill more memory, up to the maximum', async () => {
    const retryPolicy = { maxAttempts: 5, minBackoff: { nanos: 1_000_000 }, maxBackoff: { nanos: 1_000_000 } };
    const definition = await world.define({
      demands: { resources: { memory: 300 }, memoryGrowth: { factor: 2, max: 1_000 } },
      retryPolicy,
    });
    const [small, middle, large] = [
      await openWith(definition, { resources: { memory: 300 } }),
      await openWith(definition, { resources: { memory: 600 } }),
      await openWith(definition, { resources: { memory: 1_000 } }),
    ];
    const jobId = await world.submit(definition);
    const [first] = await small.take(1);
    const killed = outcomes.failure({ type: 'Killed', exitCode: 137 });
    await small.report({ of: first as Assignment, outcome: killed });
    await small.offer(10);
    const [second] = await middle.take(1);
    await middle.report({ of: second as Assignment, outcome: killed });
    const [third] = await large.take(1);
    expect([first, second, third].map((attempt) => idOf(attempt as Assignment))).toEqual([jobId, jobId, jobId]);
    expect(small.assigned).toHaveLength(1);
  });

  it('shows the demands of the next attempt of a job that ran out of memory', async () => {
    const hour = { seconds: 3_600n };
    const definition = await world.define({
      demands: { resources: { memory: 300 }, memoryGrowth: { factor: 2, max: 1_000 } },
      retryPolicy: { maxAttempts: 5, minBackoff: hour, maxBackoff: hour, jitter: Jitter.NONE },
    });
    const worker = await openWith(definition, { resources: { memory: 1_000 } });
    const jobId = await world.submit(definition);
    const [of] = await worker.take(1);
    await worker.report({ of: of as Assignment, outcome: outcomes.failure({ type: 'Killed', exitCode: 137 }) });
    expect(await reasonOf(jobId)).toBe(
      'attempt 1 of 5 failed (Killed, exit code 137); waits 3600000 ms for the next; the next attempt takes 600 bytes of memory',
    );
  });

  it('gives a retry of an ended job the demands of that job', async () => {
    const definition = await world.define();
    const jobId = await world.submit(definition, { demands: { resources: { gpu: 1 }, required: 'has(labels.gpu)' } });
    const worker = await openWith(definition, { resources: { gpu: 1 }, labels: { gpu: 'yes' } });
    const [attempt] = await worker.take(1);
    await worker.report({ of: attempt as Assignment, outcome: done });
    const again = (await world.rpc.call(retryJob, { jobId })).job?.jobId ?? '';
    const other = await openWith(definition, { resources: { gpu: 1 } });
    await other.becomeReachable();
    expect(await reasonOf(again)).toBe('');
    expect((await worker.take(1)).map(idOf)).toEqual([again]);
  });
});
