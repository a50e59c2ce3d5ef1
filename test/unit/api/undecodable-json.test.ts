/** JSON that the decoder refuses: the refusal names the field by its path, and says what it must be. */
import { type DescMessage, fromJson } from '@bufbuild/protobuf';
import { ListJobsRequestSchema, SubmitJobRequestSchema } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { describe, expect, it } from 'vitest';
import { undecodableField } from '../../../server/api/base/undecodable-json.ts';
import { allMethods, exampleOf } from '../../support/docs/contract.ts';

const job = (fields: object) => ({ job: { definition: 'mail', ...fields } });
const levels = (around: (inner: object) => object, count: number) =>
  Array.from({ length: count }).reduce<object>((inner) => around(inner), {});
const manyObjects = levels((inner) => ({ in: inner }), 10_000);
const manyLists = levels((inner) => [inner], 10_000);

describe('the field that cannot be decoded', () => {
  it.each<[string, DescMessage, unknown, string, string]>([
    [
      'an unknown key',
      ListJobsRequestSchema,
      { pagesize: 5 },
      'pagesize',
      'is no field of muster.v1.ListJobsRequest; did you mean pageSize?',
    ],
    [
      'an unknown key that is like no other',
      ListJobsRequestSchema,
      { zebra: 5 },
      'zebra',
      'is no field of muster.v1.ListJobsRequest',
    ],
    [
      'an unknown key in a list',
      SubmitJobRequestSchema,
      job({ retryPolicy: { rules: [{}, { dellay: '1s' }] } }),
      'job.retry_policy.rules[1].dellay',
      'is no field of muster.v1.RetryRule; did you mean delay?',
    ],
    [
      'the name of an enum',
      SubmitJobRequestSchema,
      job({ idempotencyConflictPolicy: 'NOPE' }),
      'job.idempotency_conflict_policy',
      'is "NOPE"; must be one of IDEMPOTENCY_CONFLICT_POLICY_FAIL, IDEMPOTENCY_CONFLICT_POLICY_USE_EXISTING, IDEMPOTENCY_CONFLICT_POLICY_REPLACE',
    ],
    [
      'the name of an enum in a list',
      ListJobsRequestSchema,
      { filter: { states: ['JOB_STATE_READY', 'NOPE'] } },
      'filter.states[1]',
      'is "NOPE"; must be one of JOB_STATE_BLOCKED, ',
    ],
    [
      'a time',
      ListJobsRequestSchema,
      { filter: { minCreateTime: 'yesterday' } },
      'filter.min_create_time',
      'is "yesterday"; must be a time such as "2026-05-01T12:00:00Z"',
    ],
    [
      'a duration in minutes',
      SubmitJobRequestSchema,
      job({ runTimeout: '5m' }),
      'job.run_timeout',
      'is "5m"; must be in seconds, such as "300s"',
    ],
    [
      'a duration that is a number',
      SubmitJobRequestSchema,
      job({ runTimeout: 5 }),
      'job.run_timeout',
      'is 5; must be in seconds, such as "90s"',
    ],
    [
      'a number',
      SubmitJobRequestSchema,
      job({ priority: 'high' }),
      'job.priority',
      'is "high"; expected number (int32)',
    ],
    ['bytes', SubmitJobRequestSchema, job({ input: { data: '*' } }), 'job.input.data', 'is "*"; '],
    ['half of a surrogate pair', SubmitJobRequestSchema, job({ queue: 'a\ud800b' }), 'job.queue', 'is "a\ufffdb"; '],
    [
      'a value of a map',
      SubmitJobRequestSchema,
      job({ labels: { a: 'b', c: 5 } }),
      'job.labels["c"]',
      'is 5; map entry "c": expected string',
    ],
    [
      'half of a surrogate pair in a key',
      SubmitJobRequestSchema,
      job({ labels: { 'a\ud800b': 'c' } }),
      'job.labels["a\\ud800b"]',
      'is "c"; invalid map key',
    ],
    [
      'a list in place of a map',
      SubmitJobRequestSchema,
      job({ labels: [] }),
      'job.labels',
      'is a list; must be an object',
    ],
    [
      'an object in place of a list',
      ListJobsRequestSchema,
      { filter: { states: {} } },
      'filter.states',
      'is an object; must be a list',
    ],
    ['a text in place of a message', SubmitJobRequestSchema, { job: 'mail' }, 'job', 'is "mail"; must be an object'],
    [
      'a field in both spellings',
      SubmitJobRequestSchema,
      { request_id: '', requestId: '' },
      'request_id',
      'is set more than once',
    ],
    [
      'two fields of which one may be set',
      SubmitJobRequestSchema,
      job({ delay: '1s', runTime: '2026-05-01T12:00:00Z' }),
      'job.run_time',
      'is set together with delay; one of them may be',
    ],
  ])('is named: %s', (_what, desc, json, field, description) => {
    expect(() => fromJson(desc, json as never)).toThrow();
    const found = undecodableField(desc, json);
    expect(found?.field).toBe(field);
    expect(found?.description.slice(0, description.length)).toBe(description);
  });

  it.each([
    ['objects', manyObjects, 'is an object; '],
    ['lists', manyLists, 'is a list; '],
  ])('is found where its value has 10,000 levels of %s', (_what, value, description) => {
    const found = undecodableField(SubmitJobRequestSchema, job({ queue: value }));
    expect(found?.field).toBe('job.queue');
    expect(found?.description).toMatch(description);
  });

  it('of a long key is bounded', () => {
    const key = 'a'.repeat(1 << 20);
    const found = undecodableField(ListJobsRequestSchema, { [key]: key });
    expect(found?.field.length).toBeLessThanOrEqual(128);
    expect(found?.description.length).toBeLessThanOrEqual(256);
  });

  it.each(allMethods.map((method) => [method.name, method] as const))(
    'is none in the example of %s',
    (_name, method) => {
      expect(undecodableField(method.input, JSON.parse(JSON.stringify(exampleOf(method))))).toBeUndefined();
    },
  );
});
