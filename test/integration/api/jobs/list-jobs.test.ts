/** ListJobs as clients see it: filters, pages, and page tokens that are valid for their own list only. */

import { JobState } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { JobService, type ListJobsResponse } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../../server/api/base/code.ts';
import { outcomes } from '../base/test-worker.ts';
import { World } from '../base/world.ts';

const { listJobs } = JobService.method;
let world: World;

beforeAll(async () => {
  world = await World.start();
});

afterAll(() => world?.stop());

const list = (request: object): Promise<ListJobsResponse> => world.rpc.call(listJobs, request);
const idsOf = ({ jobs }: ListJobsResponse) => jobs.map(({ jobId }) => jobId);

describe('ListJobs', () => {
  let definition: string;
  /** Newest first. */
  let ids: string[];

  beforeAll(async () => {
    definition = await world.define();
    const jobs = Array.from({ length: 7 }, (_, i) => ({
      definition,
      labels: { third: `${i % 3}` },
      input: { data: Buffer.from(`input ${i}`), contentType: 'text/plain' },
    }));
    const submitted = await world.rpc.call(JobService.method.submitJobs, { jobs });
    ids = submitted.jobs.map(({ jobId }) => jobId).reverse();
  });

  it('pages through all matching jobs, each once, newest first', async () => {
    const seen: string[] = [];
    const sizes: number[] = [];
    for (let pageToken: string | undefined; pageToken !== ''; ) {
      const page = await list({ filter: { definition }, pageSize: 3, pageToken });
      seen.push(...idsOf(page));
      sizes.push(page.jobs.length);
      pageToken = page.nextPageToken;
    }
    expect([seen, sizes]).toEqual([ids, [3, 3, 1]]);
  });

  it('B42: returns everything at once if it fits, whatever the page size', async () => {
    for (const pageSize of [7, 0, 1_000, 1e9, 2 ** 31 - 1]) {
      const page = await list({ filter: { definition }, pageSize });
      expect([idsOf(page), page.nextPageToken]).toEqual([ids, '']);
    }
  });

  it('shows jobs as GetJob does, without inputs, results and attempts', async () => {
    const { worker, jobId, attempt } = await world.hold();
    await worker.report({ of: attempt, outcome: outcomes.result('42') });
    const done = await world.getJob(jobId);
    const [job] = (await list({ filter: { definition: done.definition } })).jobs;
    const empty = { data: new Uint8Array(), contentType: expect.anything() };
    expect(job).toMatchObject({ input: empty, outcome: { case: 'result', value: empty }, attempts: [] });
    const { input: _i, outcome: _o, attempts: _a, ...rest } = done;
    expect(job).toMatchObject(rest);
  });

  it('combines conditions: labels, states, failure types, times, queue', async () => {
    const matched = await list({
      filter: { definition, labels: { third: '1' }, states: [JobState.READY, JobState.RUNNING] },
    });
    expect(idsOf(matched)).toEqual([ids[2], ids[5]]);
    expect(idsOf(await list({ filter: { definition, labels: { third: '1', other: '' } } }))).toEqual([]);
    expect(idsOf(await list({ filter: { definition, queue: 'default' } }))).toEqual(ids);
    expect(idsOf(await list({ filter: { definition, queue: 'another' } }))).toEqual([]);
    const { createTime } = await world.getJob(ids[0] as string);
    expect(idsOf(await list({ filter: { definition, minCreateTime: createTime } }))).toEqual(ids);
    expect(idsOf(await list({ filter: { definition, maxCreateTime: createTime } }))).toEqual([]);
    const { worker, jobId, attempt } = await world.hold();
    await worker.report({ of: attempt, outcome: outcomes.failure({ type: 'CardDeclined', nonRetryable: true }) });
    expect(idsOf(await list({ filter: { failureTypes: ['CardDeclined', 'Other'] } }))).toEqual([jobId]);
    expect(idsOf(await list({ filter: { failureTypes: ['Other'] } }))).toEqual([]);
    expect(idsOf(await list({ filter: { states: [JobState.FAILED] } }))).toEqual([jobId]);
  });

  it('B15: does not show other namespaces', async () => {
    expect(await list({ namespace: 'other', filter: { definition } })).toMatchObject({ jobs: [], nextPageToken: '' });
  });

  it('B43: accepts only unchanged page tokens, with the same filter', async () => {
    const filtered = { definition, labels: { a: '1', b: '2' }, states: [JobState.READY, JobState.FAILED] };
    const filter = { definition, states: [JobState.FAILED, JobState.READY, JobState.READY] };
    const request = { filter, pageSize: 3 };
    const { nextPageToken: token } = await list(request);
    const bytes = Buffer.from(token, 'base64url');
    const flipped = Array.from({ length: bytes.length }, (_, at) => {
      const copy = Buffer.from(bytes);
      copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
      return copy.toString('base64url');
    });
    const odd = ['x', '!!!', token.slice(0, -1), `${token}A`, `${token}!`, ` ${token}`, token.slice(1), ...flipped];
    for (const pageToken of odd) {
      const refusal = await world.rpc.refused(listJobs, { ...request, pageToken });
      expect([pageToken, refusal.code, refusal.fields]).toEqual([pageToken, Code.INVALID_ARGUMENT, ['page_token']]);
    }
    const otherFilters = [{ ...filter, queue: 'q' }, { ...filter, states: [] }, filtered];
    const others = [
      { ...request, namespace: 'other' },
      ...otherFilters.map((other) => ({ ...request, filter: other })),
    ];
    for (const other of others) {
      const refusal = await world.rpc.refused(listJobs, { ...other, pageToken: token });
      expect([refusal.code, refusal.fields]).toEqual([Code.INVALID_ARGUMENT, ['page_token']]);
    }
    const sameFilter = { definition, states: [JobState.READY, JobState.FAILED] };
    expect(idsOf(await list({ filter: sameFilter, pageSize: 4, pageToken: token }))).toEqual(ids.slice(3));
  });
});
