/** Explanations of suspects over the wire: lost sessions make a job one, and a session holds at most one. */

import { EventService } from '@muster-jobs/sdk/gen/muster/v1/event_service_pb';
import { JobState, WaitReason } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../../../support/base/eventually.ts';
import { readAll } from '../base/rpc.ts';
import { World } from '../base/world.ts';
import { Explaining, idsOf } from './explaining.ts';

let world: World;
let ask: Explaining;

beforeAll(async () => {
  world = await World.start({ beatMs: 1_000, leaseMs: 4_000 });
  ask = new Explaining(world);
});

afterAll(() => world?.stop());

async function isReportedAsSuspect(jobId: string): Promise<boolean> {
  const { messages } = await readAll(world.rpc.stream(EventService.method.watchEvents, { jobId, keptOnly: true }));
  const ready = messages.flatMap(({ events }) => events).filter(({ state }) => state === JobState.READY);
  return ready.map(({ waitReason }) => waitReason).includes(WaitReason.SUSPECT);
}

it('the explanation of a suspect names it as such, and the suspect that the only session holds', async () => {
  const { definition } = await ask.define();
  const jobIds = await ask.submitMany(definition, 2);
  // Each of these workers takes both jobs and never sends a heartbeat.
  for (let lost = 1; lost <= 2; lost++) {
    const worker = await world.openWorker(definition);
    await worker.take(2);
    await eventually(`both are lost for the ${lost}. time`, async () => {
      const jobs = await Promise.all(jobIds.map((jobId) => world.getJob(jobId)));
      return jobs.every(({ attempts, sessionId }) => attempts.length === lost && sessionId === '');
    });
  }
  // Each has a backoff of its own.
  for (const jobId of jobIds) {
    await eventually('it is ready', async () => (await world.stateOf(jobId)) === 'READY');
    expect(await ask.waitReasonOf(jobId)).toBe('NO_WORKER');
    await eventually('an event shows it as a suspect', () => isReportedAsSuspect(jobId));
  }
  const worker = await world.openWorker(definition);
  const beats = setInterval(() => void worker.beat().catch(() => {}), 300);
  try {
    const [held] = await worker.take(1);
    const [heldId] = idsOf(held ? [held] : []);
    const waits = jobIds.find((jobId) => jobId !== heldId) as string;
    await worker.offer(5);
    expect(await ask.waitReasonOf(waits)).toBe('SUSPECT');
    const suspect = await ask.constraintOf(waits, WaitReason.SUSPECT);
    expect(suspect).toMatchObject({ blockerCount: 1n, blockers: [{ jobId: heldId, sessionId: worker.sessionText }] });
    expect((await ask.explain(waits)).startEstimate?.basis).toContain('workers that have no other such job');
  } finally {
    clearInterval(beats);
    for (const jobId of jobIds) await world.rpc.call(JobService.method.cancelJob, { jobId });
  }
});
