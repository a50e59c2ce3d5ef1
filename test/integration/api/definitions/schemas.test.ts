/**
 * Inputs and results with schemas: a wrong input is refused at submission, a wrong result is a failure that is retried.
 */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { AttemptOutcome } from '@muster-jobs/sdk/gen/muster/v1/attempt_pb';
import { FailureCause } from '@muster-jobs/sdk/gen/muster/v1/failure_pb';
import type { JobDefinitionSchema } from '@muster-jobs/sdk/gen/muster/v1/job_definition_pb';
import { JobDefinitionService } from '@muster-jobs/sdk/gen/muster/v1/job_definition_service_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../../server/api/base/code.ts';
import { shopSchema } from '../../schemas/descriptor-sets.ts';
import type { Outcome } from '../base/test-worker.ts';
import { outcomes } from '../base/test-worker.ts';
import { World } from '../base/world.ts';

type Definition = MessageInitShape<typeof JobDefinitionSchema>;

const { applyJobDefinition, getJobDefinition } = JobDefinitionService.method;
const { submitJob, submitJobs, cancelJob } = JobService.method;
const task = { case: 'task', value: {} } as const;
const amount = JSON.stringify({ type: 'object', properties: { amount: { type: 'number' } }, required: ['amount'] });
const json = (value: unknown) => ({ data: Buffer.from(JSON.stringify(value)), contentType: 'application/json' });
const result = (value: unknown): Outcome => ({ case: 'result', value: json(value) });
const soon = { minBackoff: { nanos: 1_000_000 }, maxBackoff: { nanos: 1_000_000 } };
const slow = { type: 'string', pattern: '^(a+)+$' };
const slowText = `${'a'.repeat(40)}!`;

let world: World;

beforeAll(async () => {
  world = await World.start();
});

afterAll(() => world?.stop());

describe('a definition', () => {
  it('is returned with its schemas, and keeps its version with the same ones', async () => {
    const changes: Definition = { inputJsonSchema: amount, outputProtobufSchema: shopSchema() };
    const name = await world.define(changes);
    const { definition } = await world.rpc.call(getJobDefinition, { name });
    expect(definition).toMatchObject({ inputJsonSchema: amount, outputJsonSchema: '' });
    expect(definition?.inputProtobufSchema).toBeUndefined();
    expect(definition?.outputProtobufSchema?.messageType).toBe('shop.v1.Order');
    expect(Buffer.from(definition?.outputProtobufSchema?.fileDescriptorSet ?? [])).toEqual(
      Buffer.from(shopSchema().fileDescriptorSet),
    );
    const again = await world.rpc.call(applyJobDefinition, { definition: { name, body: task, ...changes } });
    expect(again).toMatchObject({ created: false, definition: { version: 1 } });
  });

  it.each<[string, Definition, string, string]>([
    ['no JSON', { inputJsonSchema: '{' }, 'definition.input_json_schema', 'is no JSON'],
    [
      'a wrong keyword',
      { outputJsonSchema: '{"properties":{"a":{"type":"strin"}}}' },
      'definition.output_json_schema',
      '/properties/a/type',
    ],
    [
      'a remote reference',
      { inputJsonSchema: '{"$ref":"https://example.com/x"}' },
      'definition.input_json_schema',
      'https://example.com/x',
    ],
  ])('with an invalid JSON Schema is refused: %s', async (_what, changes, field, word) => {
    const definition = { name: 'bad-schema', body: task, ...changes };
    for (const validateOnly of [true, false]) {
      const refusal = await world.rpc.refused(applyJobDefinition, { definition, validateOnly });
      expect({ code: refusal.code, fields: refusal.fields }).toEqual({ code: Code.INVALID_ARGUMENT, fields: [field] });
      expect(refusal.message).toContain(word);
    }
    expect((await world.rpc.refused(getJobDefinition, { name: 'bad-schema' })).code).toBe(Code.NOT_FOUND);
  });
});

describe('an input', () => {
  it('that matches is accepted, byte for byte', async () => {
    const definition = await world.define({ inputJsonSchema: amount });
    const input = { data: Buffer.from(' {"amount": 1.50}'), contentType: 'application/json' };
    const jobId = await world.submit(definition, { input });
    expect(Buffer.from((await world.getJob(jobId)).input?.data ?? [])).toEqual(input.data);
  });

  it('that does not match is refused, with the wrong location', async () => {
    const definition = await world.define({ inputJsonSchema: amount });
    const refusal = await world.rpc.refused(submitJob, { job: { definition, input: json({ amount: 'x' }) } });
    expect({ code: refusal.code, reason: refusal.reason, fields: refusal.fields }).toEqual({
      code: Code.INVALID_ARGUMENT,
      reason: 'INPUT_SCHEMA_VIOLATED',
      fields: ['job.input'],
    });
    expect(refusal.message).toBe('job.input: /amount must be number');
    expect((await world.rpc.refused(submitJob, { job: { definition } })).message).toContain('is empty');
  });

  it('of one job among many refuses all of them, and the error names each wrong one up to a bound', async () => {
    const [strict, free] = [await world.define({ inputJsonSchema: amount }), await world.define()];
    const good = { definition: strict, input: json({ amount: 1 }), idempotencyKey: 'schema-whole' };
    const bad = { definition: strict, input: json({}) };
    const refusal = await world.rpc.refused(submitJobs, { jobs: [good, { definition: free }, bad, bad] });
    expect(refusal.fields).toEqual(['jobs[2].input', 'jobs[3].input']);
    expect(await world.rpc.call(submitJob, { job: good })).toMatchObject({ existing: false });
    const many = await world.rpc.refused(submitJobs, { jobs: Array.from({ length: 2_000 }, () => bad) });
    expect(many.fields).toHaveLength(8);
    expect(many.message).toContain('(and 1999 more)');
    expect(many.trailerBytes).toBeLessThan(8_000);
  });

  it('is checked against the version of the job, not the newest', async () => {
    const name = await world.define({ inputJsonSchema: amount });
    await world.rpc.call(applyJobDefinition, { definition: { name, body: task, inputJsonSchema: 'false' } });
    const job = { definition: name, input: json({ amount: 1 }) };
    expect((await world.rpc.refused(submitJob, { job })).reason).toBe('INPUT_SCHEMA_VIOLATED');
    await world.rpc.call(submitJob, { job: { ...job, definitionVersion: 1 } });
  });

  it('that takes too long to check is refused, and the next one is accepted', async () => {
    const definition = await world.define({ inputJsonSchema: JSON.stringify(slow) });
    const refusal = await world.rpc.refused(submitJob, { job: { definition, input: json(slowText) } });
    expect(refusal.message).toContain('took longer than 50 ms');
    await world.submit(definition, { input: json('aaa') });
  });

  it('can be a protobuf message in binary or in JSON', async () => {
    const definition = await world.define({ inputProtobufSchema: shopSchema() });
    await world.submit(definition, { input: { data: Buffer.from('0a01781005', 'hex') } });
    await world.submit(definition, { input: json({ id: 'x', count: 5 }) });
    const refusal = await world.rpc.refused(submitJob, { job: { definition, input: json({ count: 'many' }) } });
    expect(refusal.message).toContain('is no shop.v1.Order');
  });
});

describe('a result', () => {
  it('that matches completes the job, and a repeat of its report is a DUPLICATE', async () => {
    const { worker, jobId, attempt } = await world.hold({ outputJsonSchema: amount });
    expect(await worker.report({ of: attempt, outcome: result({ amount: 1 }) })).toEqual(['ACCEPTED']);
    expect(await world.stateOf(jobId)).toBe('SUCCEEDED');
    expect(await worker.report({ of: attempt, outcome: result({ amount: 1 }) })).toEqual(['DUPLICATE']);
    expect(await worker.report({ of: attempt, outcome: result({ amount: 2 }) })).toEqual(['LEASE_LOST']);
    const { outcome } = await world.getJob(jobId);
    expect(outcome.case === 'result' && Buffer.from(outcome.value.data).toString()).toBe('{"amount":1}');
  });

  it('that does not match is a failure, which is retried', async () => {
    const { worker, jobId, attempt } = await world.hold({ outputJsonSchema: amount, retryPolicy: soon });
    const report = { of: attempt, outcome: result({ amount: 'x' }) };
    expect(await worker.report(report)).toEqual(['ACCEPTED']);
    expect(await worker.report(report)).toEqual(['DUPLICATE']);
    expect(await worker.report({ of: attempt, outcome: result({ amount: 1 }) })).toEqual(['LEASE_LOST']);
    const [second] = await worker.take(1);
    if (!second) throw new Error('a second attempt was expected');
    expect(await worker.report({ of: second, outcome: result({ amount: 2 }) })).toEqual(['ACCEPTED']);
    const job = await world.getJob(jobId);
    expect(job.attempts.map(({ outcome }) => outcome)).toEqual([AttemptOutcome.FAILED, AttemptOutcome.SUCCEEDED]);
    expect(job.attempts[0]?.failure).toMatchObject({
      type: 'OutputSchemaViolation',
      failureCause: FailureCause.APPLICATION,
      message: 'the result does not fit the schema of version 1: /amount must be number',
    });
  });

  it('that does not match ends the job after its last attempt, or if its policy says so', async () => {
    const retryPolicy = { nonRetryableTypes: ['OutputSchemaViolation'] };
    const { worker, jobId, attempt } = await world.hold({ outputJsonSchema: amount, retryPolicy });
    const report = { of: attempt, outcome: result([]) };
    expect(await worker.report(report)).toEqual(['ACCEPTED']);
    expect(await world.stateOf(jobId)).toBe('FAILED');
    expect(await worker.report(report)).toEqual(['DUPLICATE']);
  });

  it('in a report of many is judged by itself, and of two for an attempt the first counts', async () => {
    const [strict, free] = [
      await world.define({ outputJsonSchema: amount, retryPolicy: { maxAttempts: 1 } }),
      await world.define(),
    ];
    const worker = await world.openWorker(strict, free);
    const ids = [
      await world.submit(strict),
      await world.submit(free),
      await world.submit(strict),
      await world.submit(strict),
    ];
    const held = await worker.take(4);
    const of = (i: number) => {
      const found = held.find(({ jobId }) => Buffer.from(jobId).toString('hex') === ids[i]?.replaceAll('-', ''));
      if (!found) throw new Error('it was not assigned');
      return found;
    };
    const reports = [
      { of: of(0), outcome: result({ amount: 1 }) },
      { of: of(1), outcome: outcomes.result('anything') },
      { of: of(2), outcome: result({}) },
      { of: of(2), outcome: result({ amount: 1 }) },
      { of: of(3), outcome: outcomes.failure({ nonRetryable: true }) },
    ];
    expect(await worker.report(...reports)).toEqual(['ACCEPTED', 'ACCEPTED', 'ACCEPTED', 'LEASE_LOST', 'ACCEPTED']);
    expect(await Promise.all(ids.map((id) => world.stateOf(id)))).toEqual([
      'SUCCEEDED',
      'SUCCEEDED',
      'FAILED',
      'FAILED',
    ]);
    expect(await worker.report(...reports)).toEqual(['DUPLICATE', 'DUPLICATE', 'DUPLICATE', 'LEASE_LOST', 'DUPLICATE']);
  });

  it('of a job that is being cancelled counts only if it matches', async () => {
    const [good, bad] = [
      await world.hold({ outputJsonSchema: amount }),
      await world.hold({ outputJsonSchema: amount }),
    ];
    for (const { jobId } of [good, bad]) await world.rpc.call(cancelJob, { jobId });
    expect(await good.worker.report({ of: good.attempt, outcome: result({ amount: 1 }) })).toEqual(['ACCEPTED']);
    expect(await bad.worker.report({ of: bad.attempt, outcome: result({}) })).toEqual(['ACCEPTED']);
    expect(await world.stateOf(good.jobId)).toBe('SUCCEEDED');
    expect(await world.stateOf(bad.jobId)).toBe('CANCELLED');
  });

  it('that takes too long to check is a failure', async () => {
    const held = await world.hold({ outputJsonSchema: JSON.stringify(slow), retryPolicy: { maxAttempts: 1 } });
    expect(await held.worker.report({ of: held.attempt, outcome: result(slowText) })).toEqual(['ACCEPTED']);
    expect((await world.getJob(held.jobId)).outcome).toMatchObject({
      case: 'failure',
      value: { type: 'OutputSchemaViolation', message: expect.stringContaining('took longer than 50 ms') },
    });
  });

  it('of a closed session does not count, valid or not', async () => {
    for (const value of [{ amount: 1 }, {}]) {
      const { worker, jobId, attempt } = await world.hold({ outputJsonSchema: amount });
      await worker.close();
      await expect(worker.report({ of: attempt, outcome: result(value) })).rejects.toMatchObject({
        reason: 'LEASE_LOST',
      });
      expect((await world.getJob(jobId)).attempts.every(({ outcome }) => outcome !== AttemptOutcome.FAILED)).toBe(true);
    }
  });

  it('can be a protobuf message', async () => {
    const held = await world.hold({ outputProtobufSchema: shopSchema(), retryPolicy: { maxAttempts: 1 } });
    expect(await held.worker.report({ of: held.attempt, outcome: result({ nope: 1 }) })).toEqual(['ACCEPTED']);
    expect((await world.getJob(held.jobId)).outcome).toMatchObject({
      case: 'failure',
      value: { message: expect.stringContaining('is no shop.v1.Order') },
    });
  });
});
