/** Converts batches between the contract and the core. */
import { create } from '@bufbuild/protobuf';
import {
  type Batch,
  BatchCountsSchema,
  type BatchRetry,
  BatchRetrySchema,
  BatchSchema,
} from '@muster-jobs/sdk/gen/muster/v1/batch_pb';
import { callbackFields, countEnded, type FailurePolicy } from '../../domain/batches/batch.ts';
import { leftOf } from '../../domain/batches/batch-retry.ts';
import { estimatedEndUs, rateOf } from '../../domain/explain/end-rate.ts';
import type { BatchView } from '../../engine/batches/batches.ts';
import type { BatchSpec, StoredBatch } from '../../engine/ports/batches.ts';
import { checkLabels, checkProse, counterOf } from '../base/checks.ts';
import { timestampTo } from '../base/convert-payload.ts';
import { sortedMap } from '../base/sorted-map.ts';
import type { Violations } from '../base/violations.ts';
import { jobTo } from '../jobs/convert-job.ts';
import { plannedJobFrom, plannedJobTo } from '../jobs/convert-planned-job.ts';

const callback = { field: 'batch.callback', of: 'a callback', maxLabels: 64 };

/** Maximum bytes that the server adds to a callback's input. */
const ADDED_BYTES = 512;

export type GivenBatch = BatchSpec & { readonly labels: Readonly<Record<string, string>> };

export function batchFrom(wire: Batch | undefined, maxPayload: number, violations: Violations): GivenBatch {
  const batch = wire ?? create(BatchSchema);
  checkLabels(batch.labels, 64, 'batch.labels', violations);
  checkProse(batch.description, 1_024, 'batch.description', violations);
  return {
    labels: sortedMap(batch.labels),
    description: batch.description,
    policy: policyFrom(batch, violations),
    callback: callbackFrom(batch, maxPayload, violations),
  };
}

function policyFrom({ maxFailed, tolerateFailed }: Batch, violations: Violations): FailurePolicy {
  violations.check(
    maxFailed === undefined || !tolerateFailed,
    'batch.max_failed',
    'must be unset where tolerate_failed is set: any number may fail then',
  );
  if (maxFailed !== undefined) return counterOf(maxFailed, 'batch.max_failed', violations);
  return tolerateFailed ? 'ANY' : 'NONE';
}

function callbackFrom(wire: Batch, maxPayload: number, violations: Violations): BatchSpec['callback'] {
  if (!wire.callback) return undefined;
  const job = plannedJobFrom(wire.callback, callback, maxPayload - ADDED_BYTES, violations);
  const problem = inputProblem(job.input.data);
  if (problem) violations.add('batch.callback.input', problem);
  return job;
}

function inputProblem(input: Uint8Array): string | undefined {
  if (input.length === 0) return undefined;
  const value = objectOf(input);
  if (!value) return 'must be a JSON object, or empty: the outcome of the batch is added to it';
  const taken = callbackFields.find((name) => Object.hasOwn(value, name));
  return taken && `has a field "${taken}", which is added with the outcome of the batch; remove it`;
}

function objectOf(input: Uint8Array): object | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(input));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The content of a call, to recognize repeats. */
export function specTo({ labels, description, policy, callback: job }: GivenBatch): Batch {
  return create(BatchSchema, {
    labels: { ...labels },
    description,
    tolerateFailed: policy === 'ANY',
    ...(typeof policy === 'number' ? { maxFailed: BigInt(policy) } : {}),
    ...(job ? { callback: plannedJobTo(job) } : {}),
  });
}

export function batchTo(view: BatchView): Batch {
  const { job, members, progress, nowUs, sealTimeUs } = view;
  const { ended, rate } = progress;
  const open = members - countEnded(ended);
  const isRunning = job.endTimeUs === undefined;
  const endUs = isRunning && sealTimeUs !== undefined && open > 0 ? estimatedEndUs(rate, open, nowUs) : undefined;
  const sealTime = timestampTo(sealTimeUs);
  const estimatedEndTime = timestampTo(endUs);
  return create(BatchSchema, {
    ...specTo({ ...view, labels: job.labels }),
    job: jobTo(job),
    sealed: sealTimeUs !== undefined,
    ...(sealTime ? { sealTime } : {}),
    counts: create(BatchCountsSchema, {
      members: BigInt(members),
      open: BigInt(open),
      succeeded: BigInt(ended.succeeded),
      failed: BigInt(ended.failed),
      cancelled: BigInt(ended.cancelled),
      expired: BigInt(ended.expired),
      skipped: BigInt(ended.skipped),
    }),
    endRate: isRunning ? rateOf(rate, nowUs) : 0,
    ...(estimatedEndTime ? { estimatedEndTime } : {}),
    callbackJobId: view.callbackJobId ?? '',
    callbackError: view.callbackError ?? '',
    ...(view.retry ? { retry: retryTo(view.retry, members) } : {}),
  });
}

function retryTo(retry: NonNullable<StoredBatch['retry']>, made: number): BatchRetry {
  const { batchJobId, failed, retriedBeforeCount, skippedByReason, waitMessage } = retry;
  return create(BatchRetrySchema, {
    batchJobId,
    failedCount: BigInt(failed),
    remainingCount: BigInt(leftOf(retry, made)),
    retriedBeforeCount: BigInt(retriedBeforeCount),
    skippedByReason: Object.fromEntries(
      Object.entries(skippedByReason).map(([reason, count]) => [reason, BigInt(count)]),
    ),
    waitMessage,
  });
}
