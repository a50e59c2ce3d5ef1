/** Definitions and jobs as clients see them: every field is returned unchanged, byte for byte. */

import { JobDefinitionService } from '@muster-jobs/sdk/gen/muster/v1/job_definition_service_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { World } from '../base/world.ts';

const { submitJob, getJob } = JobService.method;
const { applyJobDefinition, getJobDefinition } = JobDefinitionService.method;

let world: World;

beforeAll(async () => {
  world = await World.start();
});

afterAll(() => world?.stop());

describe('definitions', () => {
  const task = { case: 'task', value: {} } as const;

  it('get versions; the same content again keeps the version', async () => {
    const name = 'versions';
    const apply = async (description: string) => {
      const { definition, created } = await world.rpc.call(applyJobDefinition, {
        definition: { name, body: task, description },
      });
      return [definition?.version, created];
    };
    expect(await apply('first')).toEqual([1, true]);
    expect(await apply('first')).toEqual([1, false]);
    expect(await apply('second')).toEqual([2, true]);
    const newest = await world.rpc.call(getJobDefinition, { name });
    const first = await world.rpc.call(getJobDefinition, { name, version: 1 });
    expect([newest.definition?.description, first.definition?.description]).toEqual(['second', 'first']);
  });

  it('have the same content in any order of their labels', async () => {
    const apply = (labels: Record<string, string>) =>
      world.rpc.call(applyJobDefinition, { definition: { name: 'ordered', body: task, labels } });
    expect((await apply({ a: '1', b: '2' })).created).toBe(true);
    expect((await apply({ b: '2', a: '1' })).created).toBe(false);
  });

  it('are returned with every default filled in', async () => {
    const { definition } = await world.rpc.call(applyJobDefinition, { definition: { name: 'defaults', body: task } });
    expect(definition).toMatchObject({
      namespace: 'default',
      queue: 'default',
      body: { case: 'task', value: { handler: 'defaults' } },
      retryPolicy: { maxAttempts: 3, minBackoff: { seconds: 1n }, maxBackoff: { seconds: 300n }, multiplier: 2 },
      runTimeout: { seconds: 3_600n },
      cancelGrace: { seconds: 30n },
    });
  });

  it('are not stored by a validation', async () => {
    const { definition, created } = await world.rpc.call(applyJobDefinition, {
      definition: { name: 'checked', body: task },
      validateOnly: true,
    });
    expect([definition?.version, created]).toEqual([1, true]);
    expect((await world.rpc.refused(getJobDefinition, { name: 'checked' })).reason).toBe('DEFINITION_NOT_FOUND');
  });

  it('are separate by namespace, and created once by concurrent callers', async () => {
    const apply = (namespace: string) =>
      world.rpc.call(applyJobDefinition, { definition: { name: 'shared', namespace, body: task } });
    const answers = await Promise.all(Array.from({ length: 8 }, () => apply('')));
    expect(answers.filter(({ created }) => created)).toHaveLength(1);
    expect((await apply('other')).definition).toMatchObject({ namespace: 'other', version: 1 });
  });

  it('are pinned: a job keeps the version that was newest at its submission', async () => {
    const name = await world.define();
    const before = await world.submit(name);
    await world.rpc.call(applyJobDefinition, { definition: { name, body: task, description: 'newer' } });
    const after = await world.submit(name);
    const old = await world.submit(name, { definitionVersion: 1 });
    const versions = await Promise.all(
      [before, after, old].map(async (id) => (await world.getJob(id)).definitionVersion),
    );
    expect(versions).toEqual([1, 2, 1]);
  });
});

describe('a job', () => {
  const payloads: Record<string, Uint8Array> = {
    'every byte': Uint8Array.from({ length: 256 }, (_, i) => i),
    nothing: new Uint8Array(),
    'JSON 100,000 levels deep': Buffer.from('['.repeat(100_000)),
    'a number that is too large': Buffer.from('1e200000'),
    'a number that is too exact': Buffer.from('{"n":9007199254740993}'),
    'a prototype': Buffer.from('{"__proto__":{"x":1},"a\\u0000":1,"a":1,"a":2}'),
    'half a surrogate pair': Buffer.from([0xed, 0xa0, 0x80, 0xc3, 0x28, 0]),
    'the largest that is taken': new Uint8Array(512 << 10).fill(7),
  };

  it.each(Object.entries(payloads))('B35: carries %s byte for byte', async (_what, data) => {
    const metadata = JSON.parse('{"__proto__":"x","10":"b","9":"a","empty":""}');
    const input = { data, contentType: 'application/x-odd; a="b"', metadata };
    const jobId = await world.submit(await world.define(), { input });
    const { input: stored } = await world.getJob(jobId);
    expect(Buffer.compare(stored?.data ?? new Uint8Array(1), data)).toBe(0);
    expect(stored?.contentType).toBe(input.contentType);
    expect(Object.entries(stored?.metadata ?? {}).sort()).toEqual(Object.entries(metadata).sort());
  });

  it('B40: keeps text verbatim, whatever it means elsewhere', async () => {
    const texts = [
      "'; DROP TABLE jobs; --",
      '\\',
      '{"a"}',
      '{}',
      'NULL',
      '$1',
      '%s',
      '"',
      ',',
      '<script>',
      'ﬀ 𝒳 \u202e',
      ' ',
    ];
    const labels = Object.fromEntries(texts.map((text, i) => [`key-${i}`, text]));
    const description = `${texts.join('\n')}\ttab`;
    const definition = await world.define({ description, labels });
    const jobId = await world.submit(definition, { labels, idempotencyKey: texts.slice(0, 10).join(' ') });
    expect(await world.getJob(jobId)).toMatchObject({ labels, idempotencyKey: texts.slice(0, 10).join(' ') });
    const stored = await world.rpc.call(getJobDefinition, { name: definition });
    expect(stored.definition).toMatchObject({ labels, description });
  });

  it('shows the submitted fields', async () => {
    const definition = await world.define({ queue: 'slow', priority: 3 });
    const expireTime = { seconds: 4_000_000_000n, nanos: 5_000 };
    const runTime = { seconds: 3_900_000_000n, nanos: 123_456_000 };
    const jobId = await world.submit(definition, {
      queue: 'fast',
      priority: -7,
      start: { case: 'runTime', value: runTime },
      expireTime,
    });
    expect(await world.getJob(jobId.toUpperCase())).toMatchObject({
      jobId,
      namespace: 'default',
      definition,
      definitionVersion: 1,
      queue: 'fast',
      priority: -7,
      state: 2,
      attempt: 0,
      attempts: [],
      runTime,
      expireTime,
    });
    expect(await world.getJob(await world.submit(definition))).toMatchObject({ queue: 'slow', priority: 3, state: 3 });
  });

  it('belongs to the trace of its caller, or to the one it names; a malformed one is dropped', async () => {
    const definition = await world.define();
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const own = '00-11111111111111111111111111111111-2222222222222222-00';
    const submitted = async (job: object, headers: Record<string, string>) => {
      const { jobId } = await world.rpc.call(submitJob, { job: { definition, ...job } }, { headers });
      return (await world.getJob(jobId)).traceparent;
    };
    expect(await submitted({}, { traceparent })).toBe(traceparent);
    expect(await submitted({ traceparent: own }, { traceparent })).toBe(own);
    expect(await submitted({ traceparent: 'rubbish' }, { traceparent })).toBe(traceparent);
    expect(await submitted({}, { traceparent: '00-xyz' })).toBe('');
  });

  it('expires if nothing has started it in time', async () => {
    const definition = await world.define();
    const past = await world.submit(definition, { expireTime: { seconds: 1n } });
    const { job } = await world.rpc.call(JobService.method.waitJob, { jobId: past, timeout: { seconds: 10n } });
    expect(job).toMatchObject({ state: 12, outcome: { case: 'failure', value: { type: 'Expired', failureCause: 6 } } });
  });

  it('that is delayed becomes ready when its time has come', async () => {
    const definition = await world.define();
    const worker = await world.openWorker(definition);
    await worker.becomeReachable();
    const sent = performance.now();
    const jobId = await world.submit(definition, { start: { case: 'delay', value: { seconds: 1n } } });
    const answeredAfterMs = performance.now() - sent;
    expect(await world.stateOf(jobId)).toBe('SCHEDULED');
    expect(await worker.take(1)).toHaveLength(1);
    const { createTime, runTime, assignTime } = await world.getJob(jobId);
    const ms = (time: typeof createTime) => Number(time?.seconds) * 1_000 + (time?.nanos ?? 0) / 1e6;
    // The delay counts from the acceptance, which lies within the call as the storing does.
    expect(Math.abs(ms(runTime) - 1_000 - ms(createTime))).toBeLessThanOrEqual(answeredAfterMs + 50);
    expect(ms(assignTime)).toBeGreaterThanOrEqual(ms(runTime));
  });
});

describe('GetJob', () => {
  it('does not find jobs of another namespace', async () => {
    const jobId = await world.submit(await world.define());
    expect((await world.rpc.refused(getJob, { jobId, namespace: 'other' })).reason).toBe('JOB_NOT_FOUND');
  });
});
