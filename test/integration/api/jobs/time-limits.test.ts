/** Time limits over the API: their definition, and the end of jobs that exceed them. */

import { JobDefinitionService } from '@muster-jobs/sdk/gen/muster/v1/job_definition_service_pb';
import { JobState } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../../support/base/eventually.ts';
import { outcomes } from '../base/test-worker.ts';
import { World } from '../base/world.ts';

let world: World;

beforeAll(async () => {
  world = await World.start();
});

afterAll(() => world?.stop());

const once = { maxAttempts: 1 };
const soon = { nanos: 50_000_000 };

async function untilEnded(jobId: string) {
  return eventually(`job ${jobId} ends`, async () => {
    const job = await world.getJob(jobId);
    return job.state >= JobState.SUCCEEDED ? job : undefined;
  });
}

describe('a definition', () => {
  it('keeps its time limits, and keeps its version if none is given', async () => {
    const limits = {
      queueTimeout: { seconds: 1n },
      totalTimeout: { seconds: 2n },
      progressTimeout: { seconds: 3n },
      progressWatchdog: { minFraction: 0.25, window: { seconds: 4n } },
    };
    const name = await world.define(limits);
    const { definition } = await world.rpc.call(JobDefinitionService.method.getJobDefinition, { name });
    expect(definition).toMatchObject(limits);
  });
});

describe('a job', () => {
  it('that waits too long for its first attempt ends EXPIRED', async () => {
    const jobId = await world.submit(await world.define({ queueTimeout: soon }));
    expect(await untilEnded(jobId)).toMatchObject({ state: JobState.EXPIRED, attempt: 0 });
  });

  it('that does not end within its total timeout ends FAILED, in any state', async () => {
    const definition = await world.define({ totalTimeout: soon });
    const job = await untilEnded(await world.submit(definition));
    expect(job).toMatchObject({
      state: JobState.FAILED,
      outcome: { case: 'failure', value: { type: 'TotalTimeout', failureCause: 2 } },
    });
  });

  it('whose retry would start too late ends with its last failure', async () => {
    const { worker, jobId, attempt } = await world.hold({
      totalTimeout: { seconds: 60n },
      retryPolicy: { minBackoff: { seconds: 3_600n }, maxBackoff: { seconds: 3_600n }, jitter: 2 },
    });
    await worker.report({ of: attempt, outcome: outcomes.failure() });
    expect(await world.getJob(jobId)).toMatchObject({
      state: JobState.FAILED,
      attemptCount: 1,
      outcome: { case: 'failure', value: { type: 'TotalTimeout', cause: { type: 'ValueError' } } },
    });
  });
});

describe('a running attempt', () => {
  it('that reaches the total timeout is stopped, and its worker is notified', async () => {
    const { worker, jobId, attempt } = await world.hold({ totalTimeout: { seconds: 1n } });
    await worker.started(attempt);
    expect(await untilEnded(jobId)).toMatchObject({ state: JobState.FAILED, attemptCount: 1 });
    await eventually('the worker is asked to stop', () => worker.cancelled.length > 0);
    expect(await worker.report({ of: attempt, outcome: outcomes.cancelled })).toEqual(['LEASE_LOST']);
  });

  it('that sends no progress for too long is timed out', async () => {
    const { worker, jobId, attempt } = await world.hold({ progressTimeout: { seconds: 1n }, retryPolicy: once });
    await worker.started(attempt);
    expect(await untilEnded(jobId)).toMatchObject({
      state: JobState.FAILED,
      outcome: { case: 'failure', value: { type: 'ProgressTimeout' } },
    });
  });

  it('that progresses too slowly is timed out, though it reports', async () => {
    const { worker, jobId, attempt } = await world.hold({
      progressWatchdog: { minFraction: 0.5, window: { seconds: 1n } },
      retryPolicy: once,
    });
    await worker.started(attempt);
    const { jobId: id } = attempt;
    await worker.beat({
      heldAttempts: [{ jobId: id, attempt: 1, started: true }],
      progress: [{ jobId: id, attempt: 1, sequence: 1n, progress: { fraction: 0.1 } }],
    });
    expect(await untilEnded(jobId)).toMatchObject({
      state: JobState.FAILED,
      outcome: { case: 'failure', value: { type: 'ProgressTooSlow' } },
    });
  });
});
