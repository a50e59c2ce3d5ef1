/** Submissions: all or none, in order, and once, however often a call or an idempotency key is repeated. */
import { randomUUID } from 'node:crypto';
import { create, toBinary } from '@bufbuild/protobuf';
import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';
import { IdempotencyConflictPolicy } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { JobService, SubmitJobRequestSchema } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../../server/api/base/code.ts';
import { refusalOf } from '../base/rpc.ts';
import { World } from '../base/world.ts';

const { submitJob, submitJobs } = JobService.method;

let world: World;

beforeAll(async () => {
  world = await World.start();
});

afterAll(() => world?.stop());

describe('SubmitJobs', () => {
  it('stores every job in the order of the call, also more than a thousand', async () => {
    const definition = await world.define();
    const jobs = Array.from({ length: 2_500 }, (_, i) => ({ definition, input: { data: Buffer.from(String(i)) } }));
    const answer = await world.rpc.call(submitJobs, { jobs });
    const ids = answer.jobs.map(({ jobId }) => jobId);
    expect(new Set(ids).size).toBe(2_500);
    expect(ids).toEqual([...ids].sort());
    for (const i of [0, 1, 999, 1_000, 1_001, 2_499]) {
      expect(Buffer.from((await world.getJob(ids[i] as string)).input?.data ?? []).toString()).toBe(String(i));
    }
  });

  it('stores all or nothing: one conflict refuses the whole call, and the error names its index', async () => {
    const definition = await world.define();
    await world.submit(definition, { idempotencyKey: 'taken', priority: 1 });
    const fresh = ['fresh-1', 'taken', 'fresh-2'].map((idempotencyKey) => ({ definition, idempotencyKey }));
    const refusal = await world.rpc.refused(submitJobs, { jobs: fresh });
    expect([refusal.code, refusal.reason]).toEqual([Code.ALREADY_EXISTS, 'IDEMPOTENCY_CONFLICT']);
    expect(refusal.message).toContain('jobs[1].idempotency_key');
    const again = await world.rpc.call(submitJobs, {
      jobs: fresh.filter(({ idempotencyKey }) => idempotencyKey !== 'taken'),
    });
    expect(again.jobs.map(({ existing }) => existing)).toEqual([false, false]);
  });

  it('mixes new and existing jobs', async () => {
    const definition = await world.define();
    const there = await world.submit(definition, { idempotencyKey: 'there' });
    const { jobs } = await world.rpc.call(submitJobs, {
      jobs: ['new', 'there', ''].map((idempotencyKey) => ({ definition, idempotencyKey })),
    });
    expect(jobs.map(({ existing }) => existing)).toEqual([false, true, false]);
    expect(jobs[1]?.jobId).toBe(there);
  });
});

describe('idempotency keys', () => {
  it('B31: return the same job for the same content, however often and concurrently', async () => {
    const definition = await world.define();
    const job = { definition, idempotencyKey: 'same', labels: { a: '1', b: '2' } };
    const answers = await Promise.all(Array.from({ length: 12 }, () => world.rpc.call(submitJob, { job })));
    expect(new Set(answers.map(({ jobId }) => jobId)).size).toBe(1);
    expect(answers.filter(({ existing }) => !existing)).toHaveLength(1);
    const swapped = { ...job, labels: { b: '2', a: '1' } };
    expect(await world.rpc.call(submitJob, { job: swapped })).toMatchObject({
      jobId: answers[0]?.jobId,
      existing: true,
    });
  });

  it('B32: are refused with other content, in any part of it', async () => {
    const definition = await world.define();
    const base = {
      definition,
      idempotencyKey: 'content',
      input: { data: Buffer.from('a'), contentType: 'text/plain' },
    };
    const jobId = await world.submit(definition, base);
    const others = [
      { input: { ...base.input, data: Buffer.from('b') } },
      { input: { ...base.input, contentType: 'text/html' } },
      { input: { ...base.input, metadata: { a: 'b' } } },
      { labels: { a: 'b' } },
      { priority: 1 },
      { queue: 'other' },
      { definitionVersion: 1 },
      { runTimeout: { seconds: 1n } },
      { start: { case: 'delay', value: { seconds: 1n } } as const },
      { expireTime: { seconds: 4_000_000_000n } },
      { retryPolicy: { maxAttempts: 5 } },
      { demands: { labels: { a: 'b' } } },
    ];
    for (const other of others) {
      const refusal = await world.rpc.refused(submitJob, { job: { ...base, ...other } });
      expect([other, refusal.code, refusal.reason]).toEqual([other, Code.ALREADY_EXISTS, 'IDEMPOTENCY_CONFLICT']);
      expect(refusal.info?.metadata).toEqual({ job_id: jobId });
    }
  });

  it('follow the policy of the call: FAIL accepts no existing job, USE_EXISTING and the default do', async () => {
    const definition = await world.define();
    const submit = (idempotencyConflictPolicy: IdempotencyConflictPolicy) =>
      world.rpc.call(submitJob, { job: { definition, idempotencyKey: 'policy', idempotencyConflictPolicy } });
    expect((await submit(IdempotencyConflictPolicy.FAIL)).existing).toBe(false);
    expect((await refusalOf(submit(IdempotencyConflictPolicy.FAIL))).reason).toBe('IDEMPOTENCY_CONFLICT');
    expect((await submit(IdempotencyConflictPolicy.USE_EXISTING)).existing).toBe(true);
    expect((await submit(IdempotencyConflictPolicy.UNSPECIFIED)).existing).toBe(true);
  });

  it('are separate by namespace', async () => {
    const definition = await world.define();
    const namespace = 'keys';
    await world.define({ name: definition, namespace });
    const here = await world.submit(definition, { idempotencyKey: 'apart' });
    const there = await world.rpc.call(submitJob, { namespace, job: { definition, idempotencyKey: 'apart' } });
    expect([there.existing, there.jobId === here]).toEqual([false, false]);
  });

  it('recognise retries whose maps are written in another order', async () => {
    const definition = await world.define();
    const submit = (order: (entries: [string, string][]) => [string, string][]) =>
      world.submit(definition, {
        idempotencyKey: 'maps',
        input: {
          metadata: Object.fromEntries(
            order([
              ['a', '1'],
              ['b', '2'],
            ]),
          ),
        },
        demands: {
          labels: Object.fromEntries(
            order([
              ['x', '1'],
              ['y', '2'],
            ]),
          ),
        },
      });
    expect(await submit((entries) => entries.reverse())).toBe(await submit((entries) => entries));
  });
});

describe('request ids', () => {
  it('return the same answer again, and store nothing twice', async () => {
    const definition = await world.define();
    const request = { requestId: randomUUID(), jobs: [{ definition }, { definition }] };
    const first = await world.rpc.call(submitJobs, request);
    const again = await world.rpc.call(submitJobs, request);
    expect(again.jobs).toEqual(first.jobs.map(({ jobId }) => expect.objectContaining({ jobId, existing: true })));
  });

  it('give concurrent callers one job, next to other calls', async () => {
    const definition = await world.define();
    const requestId = randomUUID();
    const others = Array.from({ length: 8 }, () => world.submit(definition));
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => world.rpc.call(submitJob, { requestId, job: { definition } })),
    );
    expect(new Set(answers.map(({ jobId }) => jobId)).size).toBe(1);
    expect(new Set(await Promise.all(others)).size).toBe(8);
    expect(await world.stateOf(answers[0]?.jobId as string)).toBe('READY');
  });

  it('are the same in upper and lower case', async () => {
    const definition = await world.define();
    const requestId = randomUUID();
    const { jobId } = await world.rpc.call(submitJob, { requestId: requestId.toUpperCase(), job: { definition } });
    expect(await world.rpc.call(submitJob, { requestId: requestId.toUpperCase(), job: { definition } })).toMatchObject({
      jobId,
      existing: true,
    });
  });

  it('are bound to their call: another body is refused', async () => {
    const definition = await world.define();
    const requestId = randomUUID();
    await world.rpc.call(submitJob, { requestId, job: { definition } });
    const refusal = await world.rpc.refused(submitJob, { requestId, job: { definition, priority: 1 } });
    expect(refusal).toMatchObject({ code: Code.INVALID_ARGUMENT, reason: 'REQUEST_ID_REUSED', fields: ['request_id'] });
  });

  it('recognise a retry whose maps are encoded in another order', async () => {
    const definition = await world.define();
    const bytes = toBinary(
      SubmitJobRequestSchema,
      create(SubmitJobRequestSchema, { requestId: randomUUID(), job: { definition, labels: { a: '1', b: '2' } } }),
    );
    const first = await world.rpc.send(submitJob, bytes);
    const swapped = swapLabels(bytes);
    expect(Buffer.compare(swapped, bytes)).not.toBe(0);
    expect(await world.rpc.send(submitJob, swapped)).toMatchObject({ jobId: first.jobId, existing: true });
  });

  it('with an idempotency key return the answer of the first call', async () => {
    const definition = await world.define();
    const request = { requestId: randomUUID(), job: { definition, idempotencyKey: 'both' } };
    const first = await world.rpc.call(submitJob, request);
    expect(await world.rpc.call(submitJob, request)).toMatchObject({ jobId: first.jobId, existing: true });
    const otherCall = await world.rpc.call(submitJob, { ...request, requestId: randomUUID() });
    expect(otherCall).toMatchObject({ jobId: first.jobId, existing: true });
  });

  /** The same request with the entries of `job.labels` (field 6 of field 2) in the opposite order. */
  function swapLabels(bytes: Uint8Array): Uint8Array {
    return rewrite(bytes, (number, value) => (number === 2 ? rewrite(value, undefined, 6) : value));
  }

  function rewrite(
    bytes: Uint8Array,
    change?: (number: number, value: Uint8Array) => Uint8Array,
    reversed?: number,
  ): Uint8Array {
    const reader = new BinaryReader(bytes);
    const fields: [number, Uint8Array][] = [];
    while (reader.pos < reader.len) {
      const [number] = reader.tag();
      fields.push([number, reader.bytes()]);
    }
    const last = fields.filter(([number]) => number === reversed).reverse();
    const kept = fields.filter(([number]) => number !== reversed);
    const writer = new BinaryWriter();
    for (const [number, value] of [...kept, ...last])
      writer.uint32((number << 3) | 2).bytes(change?.(number, value) ?? value);
    return writer.finish();
  }
});
