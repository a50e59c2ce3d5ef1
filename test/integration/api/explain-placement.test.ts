/** Explanations over the wire of jobs that demand something of their worker: who it keeps to, and what is left of amounts. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Assignment } from '../../../server/gen/muster/v1/assignment_pb.ts';
import { WaitReason } from '../../../server/gen/muster/v1/job_pb.ts';
import { StickyMode } from '../../../server/gen/muster/v1/placement_pb.ts';
import { Explaining, reasonsOf } from './explaining.ts';
import { offerOf, outcomes } from './test-worker.ts';
import { World } from './world.ts';

const done = outcomes.result();

describe.each(['PGlite', 'PostgreSQL'] as const)('explanations of jobs with demands on %s', (kind) => {
  let world: World;
  let ask: Explaining;

  beforeAll(async () => {
    world = await World.startOn(kind);
    ask = new Explaining(world);
  });

  afterAll(() => world?.stop());

  it('name the worker that a job keeps to, though others have free slots', async () => {
    const { definition } = await ask.define();
    const keeper = await world.openWorkerOf({ ...offerOf(definition), workerName: 'gpu-1' });
    const earlier = await world.submit(definition);
    const [first] = await keeper.take(1);
    await keeper.report({ of: first as Assignment, outcome: done });
    await keeper.close();
    await world.openWorkerOf({ ...offerOf(definition), workerName: 'gpu-2' });
    const hard = await world.submit(definition, { sticky: { jobId: earlier, mode: StickyMode.HARD } });
    const { message, nextStep } = await ask.constraintOf(hard, WaitReason.NO_WORKER);
    expect(message).toBe('it waits for worker gpu-1, which it keeps to: it is not connected, or serves it no more');
    expect(nextStep).toContain(`start a worker that serves definition ${definition} version 1 as worker gpu-1;`);
    expect(await ask.waitReasonOf(hard)).toBe('NO_WORKER');
    const soft = await world.submit(definition, { sticky: { jobId: earlier } });
    expect(reasonsOf(await ask.explain(soft))).not.toContain('NO_WORKER');
  });

  it('say what a session with free slots has too little of, once its jobs have taken it', async () => {
    const { definition } = await ask.define({ demands: { resources: { gpu: 1 } } });
    const worker = await world.openWorkerOf({ ...offerOf(definition), slots: 10, resources: { gpu: 2 } });
    const jobIds = await ask.submitMany(definition, 3);
    const [first] = await worker.take(2);
    const last = jobIds[2] as string;
    const found = await ask.constraintOf(last, WaitReason.IN_LINE);
    expect(found).toMatchObject({
      message: 'it is next, and it waits for room: it takes gpu 1; worker test-worker has less than that left',
      holders: [{ jobId: '', sessionId: worker.sessionText }],
    });
    expect(await ask.waitReasonOf(last)).toBe('IN_LINE');
    await worker.report({ of: first as Assignment, outcome: done });
    expect(reasonsOf(await ask.explain(last))).toEqual([]);
  });
});
