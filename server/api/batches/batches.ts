/** BatchService: many jobs that are submitted and followed as one. */
import { create, toBinary } from '@bufbuild/protobuf';
import { BatchSchema } from '@muster-jobs/sdk/gen/muster/v1/batch_pb';
import {
  type BatchService,
  CreateBatchResponseSchema,
  GetBatchResponseSchema,
  RetryBatchResponseSchema,
  SealBatchResponseSchema,
} from '@muster-jobs/sdk/gen/muster/v1/batch_service_pb';
import type { Replica } from '../../engine/replica.ts';
import { checkText, namespaceOf, requestIdOf } from '../base/checks.ts';
import type { CallContext } from '../base/context.ts';
import type { Implementation } from '../base/implementation.ts';
import { requestKey } from '../base/request-key.ts';
import { Violations } from '../base/violations.ts';
import { traceFrom } from '../jobs/convert-job.ts';
import { jobNameOf } from '../jobs/job-name.ts';
import { batchFrom, batchTo, specTo } from './convert-batch.ts';

const MAX_REASON = 1_024;

export function batchService({ batches, batchRetries, maxPayload }: Replica): Implementation<typeof BatchService> {
  return {
    async createBatch(request, context) {
      const violations = new Violations();
      const namespace = namespaceOf(request.namespace, violations);
      const requestId = requestIdOf(request.requestId, violations);
      const given = batchFrom(request.batch, maxPayload, violations);
      violations.throwIfAny();
      // A repeat is recognized by content: the bytes of the call may differ each time, since it has maps.
      const key = requestKey('CreateBatch', requestId, toBinary(BatchSchema, specTo(given)));
      const batch = await batches.create(namespace, { ...given, ...traceOf(context) }, key);
      return create(CreateBatchResponseSchema, { batch: batchTo(batch) });
    },
    async getBatch(request) {
      const { namespace, jobId } = jobNameOf(request, new Violations());
      return create(GetBatchResponseSchema, { batch: batchTo(await batches.get(namespace, jobId)) });
    },
    async sealBatch(request, context) {
      const violations = new Violations();
      const requestId = requestIdOf(request.requestId, violations);
      const { namespace, jobId } = jobNameOf(request, violations);
      const key = requestKey('SealBatch', requestId, context.body);
      return create(SealBatchResponseSchema, { batch: batchTo(await batches.seal(namespace, jobId, key)) });
    },
    async retryBatch(request, context) {
      const violations = new Violations();
      const { reason } = request;
      const requestId = requestIdOf(request.requestId, violations);
      checkText(reason, MAX_REASON, 'reason', violations);
      const { namespace, jobId } = jobNameOf(request, violations);
      const key = requestKey('RetryBatch', requestId, context.body);
      const batch = await batchRetries.retry(namespace, { jobId, reason, ...traceOf(context) }, key);
      return create(RetryBatchResponseSchema, { batch: batchTo(batch) });
    },
  };
}

function traceOf(context: CallContext) {
  return traceFrom(context.header('traceparent'), context.header('tracestate').slice(0, 512));
}
