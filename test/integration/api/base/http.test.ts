/**
 * The HTTP port serves the same as the gRPC port in each of its dialects: answers, refusals, deadlines, request ids.
 */

import { JobState } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { WorkerService } from '@muster-jobs/sdk/gen/muster/v1/worker_service_pb';
import { SessionService } from '@muster-jobs/sdk/gen/muster/worker/v1/session_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../../server/api/base/code.ts';
import { outcomes } from './test-worker.ts';
import { dialects, WebClient } from './web-clients.ts';
import { World } from './world.ts';

const { submitJob, getJob, waitJob, cancelJob } = JobService.method;
const NOBODY = '0198c0de-0000-7000-8000-000000000001';

let world: World;

beforeAll(async () => {
  world = await World.start();
});

afterAll(() => world?.stop());

const each = dialects.map((dialect) => [dialect, () => new WebClient(world.replica.httpAddress, dialect)] as const);

describe.each(each)('the API over %s', (_dialect, client) => {
  it('runs a job from its submission to its result', async () => {
    const definition = await world.define();
    const worker = await world.openWorker(definition);
    const { jobId } = await client().call(submitJob, {
      job: { definition, input: { data: Buffer.from([0, 255, 10]) }, labels: { of: 'Zoë 水' }, priority: -3 },
    });
    expect((await client().call(getJob, { jobId })).job).toMatchObject({ priority: -3, labels: { of: 'Zoë 水' } });
    const waiting = client().call(waitJob, { jobId, timeout: { seconds: 60n } });
    const [attempt] = await worker.take(1);
    if (!attempt) throw new Error('nothing was assigned');
    expect(attempt.input?.data).toEqual(Uint8Array.of(0, 255, 10));
    await worker.report({ of: attempt, outcome: outcomes.result('done') });
    const { job } = await waiting;
    expect(job?.state).toBe(JobState.SUCCEEDED);
    expect(Buffer.from(job?.outcome.case === 'result' ? job.outcome.value.data : []).toString()).toBe('done');
  });

  it('continues the trace of the caller', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const job = { definition: await world.define() };
    const { jobId } = await client().call(submitJob, { job }, { headers: { traceparent } });
    expect((await world.getJob(jobId)).traceparent).toBe(traceparent);
  });

  it('refuses with the code and the details of the gRPC port', async () => {
    const wrong = await client().refused(submitJob, { job: { definition: 'No', priority: 101 } });
    expect(wrong).toMatchObject({ code: Code.INVALID_ARGUMENT, reason: 'INVALID_FIELD' });
    expect(wrong.fields).toEqual(['job.definition', 'job.priority']);
    expect(wrong.message).toBe(
      (await world.rpc.refused(submitJob, { job: { definition: 'No', priority: 101 } })).message,
    );

    const missing = await client().refused(getJob, { jobId: NOBODY });
    expect(missing).toMatchObject({ code: Code.NOT_FOUND, reason: 'JOB_NOT_FOUND' });
    expect(missing.info).toMatchObject({ domain: 'muster', metadata: { job_id: NOBODY } });

    const jobId = await world.submit(await world.define(), { expireTime: { seconds: 1n } });
    await world.rpc.call(waitJob, { jobId });
    const ended = await client().refused(cancelJob, { jobId });
    expect(ended).toMatchObject({ code: Code.FAILED_PRECONDITION, preconditions: ['JOB_ENDED'] });
  });

  it('ends a wait at its deadline', async () => {
    const jobId = await world.submit(await world.define());
    // Only the header sets the deadline of the server; a timeout of the client would end the call by itself.
    const name = _dialect.startsWith('Connect') ? 'connect-timeout-ms' : 'grpc-timeout';
    const headers = { [name]: name === 'grpc-timeout' ? '200m' : '200' };
    const start = performance.now();
    const { transport } = client();
    const late = await transport
      .unary(waitJob, undefined, undefined, headers, { jobId, timeout: { seconds: 60n } })
      .then(
        () => undefined,
        (error: { code: number }) => error.code,
      );
    expect(late).toBe(Code.DEADLINE_EXCEEDED);
    expect(performance.now() - start).toBeGreaterThanOrEqual(199);
  });

  it('does not serve the worker protocol', async () => {
    expect((await client().refused(SessionService.method.openSession, {})).code).toBe(Code.UNIMPLEMENTED);
    expect((await client().call(WorkerService.method.listWorkers, {})).workers.length).toBeGreaterThan(0);
  });
});

describe('a request id', () => {
  it('belongs to one call, whichever port and encoding its repeats use', async () => {
    const definition = await world.define();
    const labels = { b: '1', a: '水', c: '3' };
    const request = { requestId: '0198c0de-0000-4000-8000-0000000000ab', job: { definition, labels } };
    const { jobId } = await world.rpc.call(submitJob, request);
    for (const dialect of dialects) {
      const client = new WebClient(world.replica.httpAddress, dialect);
      expect(await client.call(submitJob, request)).toMatchObject({ jobId, existing: true });
      const other = await client.refused(submitJob, { ...request, job: { definition } });
      expect(other).toMatchObject({ reason: 'REQUEST_ID_REUSED', fields: ['request_id'] });
    }
  });
});
