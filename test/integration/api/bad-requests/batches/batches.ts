/** Wrong requests about batches. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { BatchSchema } from '@muster-jobs/sdk/gen/muster/v1/batch_pb';
import { BatchService } from '@muster-jobs/sdk/gen/muster/v1/batch_service_pb';
import { Code } from '../../../../../server/api/base/code.ts';
import {
  add,
  archiveJobDefinition,
  define,
  job,
  manyLabels,
  type Seed,
  submitJob,
  submitJobs,
} from '../base/builder.ts';

const { createBatch, getBatch, retryBatch, sealBatch } = BatchService.method;

type Batch = MessageInitShape<typeof BatchSchema>;

const NOT_THERE = '0198c0de-0000-7000-8000-00000000ffff';
const notFound = [Code.NOT_FOUND, 'BATCH_NOT_FOUND'] as const;
const json = (text: string) => ({ data: Buffer.from(text), contentType: 'application/json' });

const create = (row: string, what: string, change: Batch | ((seed: Seed) => Batch), ...fields: string[]) =>
  add(
    row,
    `CreateBatch: ${what}`,
    createBatch,
    (seed) => ({ batch: (typeof change === 'function' ? change(seed) : change) as Batch }),
    fields,
  );

// --- B37: ids
for (const id of ['', 'x', '0198c0de-0000-7000-8000-00000000000g']) {
  for (const method of [getBatch, sealBatch, retryBatch])
    add('B37', `${method.name}: batch "${id}"`, method as typeof getBatch, () => ({ jobId: id }), ['job_id']);
  if (id === '') continue;
  const members = ({ definition }: Seed) => ({ job: { definition }, batchJobId: id });
  add('B37', `SubmitJob: batch "${id}"`, submitJob, members, ['batch_job_id']);
  const many = ({ definition }: Seed) => ({ jobs: [{ definition }], batchJobId: id });
  add('B37', `SubmitJobs: batch "${id}"`, submitJobs, many, ['batch_job_id']);
}
for (const requestId of ['x', '00000000-0000-0000-0000-000000000000']) {
  add('B37', `CreateBatch: request id ${requestId}`, createBatch, () => ({ requestId }), ['request_id']);
  const seal = ({ jobId }: Seed) => ({ jobId, requestId });
  add('B37', `SealBatch: request id ${requestId}`, sealBatch, seal, ['request_id']);
  add('B37', `RetryBatch: request id ${requestId}`, retryBatch, seal, ['request_id']);
}

// --- unknown batches, and jobs that are no batch
for (const method of [getBatch, sealBatch, retryBatch]) {
  const rpc = method as typeof getBatch;
  add('', `${method.name}: an unknown batch`, rpc, () => ({ jobId: NOT_THERE }), [], notFound);
  add('', `${method.name}: a job that is no batch`, rpc, ({ jobId }) => ({ jobId }), [], notFound);
  add('', `${method.name}: in another namespace`, rpc, ({ jobId }) => ({ jobId, namespace: 'other' }), [], notFound);
}
const member = (batchJobId: string | undefined) => (seed: Seed) => ({
  job: { definition: seed.definition },
  batchJobId: batchJobId ?? seed.jobId,
});
add('', 'SubmitJob: an unknown batch', submitJob, member(NOT_THERE), [], notFound);
add('', 'SubmitJob: a job that is no batch', submitJob, member(undefined), [], notFound);

add('', 'RetryBatch: a reason of 1,025 characters', retryBatch, ({ jobId }) => ({ jobId, reason: 'x'.repeat(1_025) }), [
  'reason',
]);

// --- fields of a batch
create('', '65 labels', { labels: manyLabels }, 'batch.labels');
create('', 'a description of 1,025 characters', { description: 'x'.repeat(1_025) }, 'batch.description');
for (const maxFailed of [-1n, 2n ** 53n]) create('', `${maxFailed} failures`, { maxFailed }, 'batch.max_failed');
create('', 'two failure policies', { maxFailed: 1n, tolerateFailed: true }, 'batch.max_failed');

// --- the callback of a batch
create('', 'a callback without a definition', { callback: {} }, 'batch.callback.definition');
const own = ({ definition }: Seed): Batch => ({ callback: { definition, idempotencyKey: 'a' } });
create('', 'a callback with a key', own, 'batch.callback.idempotency_key');
for (const text of ['{"state": 1}', '{"a": 1, "batch": null}', '7', '[1]', 'null', '"x"', '{', '\uFEFF{}{}'])
  create(
    '',
    `a callback whose input is ${text}`,
    ({ definition }) => ({ callback: { definition, input: json(text) } }),
    'batch.callback.input',
  );
create(
  '',
  'a callback whose input is too large',
  ({ definition }) => ({ callback: { definition, input: json(JSON.stringify({ a: 'x'.repeat(512 << 10) })) } }),
  'batch.callback.input.data',
);
add(
  '',
  'CreateBatch: a callback of an unknown definition',
  createBatch,
  () => ({ batch: { callback: { definition: 'missing' } } }),
  [],
  [Code.NOT_FOUND, 'DEFINITION_NOT_FOUND'],
);

// --- reserved names
define('', 'a reserved name', { name: 'muster.mine' }, 'definition.name');
add('', 'ArchiveJobDefinition: a reserved name', archiveJobDefinition, () => ({ name: 'muster.batch' }), ['name']);
job('', 'of a reserved definition', { definition: 'muster.batch' }, 'job.definition');
create(
  '',
  'a callback of a reserved definition',
  { callback: { definition: 'muster.batch' } },
  'batch.callback.definition',
);
define(
  '',
  'a step of a reserved definition',
  { body: { case: 'workflow', value: { steps: [{ name: 'a', definition: 'muster.batch' }] } } },
  'definition.workflow.steps[0].definition',
);
