/** The content that a request id is bound to: the bytes of the call, with the entries of each map in a fixed order. */
import { createHash } from 'node:crypto';
import { toBinary } from '@bufbuild/protobuf';
import type { JobSubmission } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import {
  type SubmitJobRequest,
  SubmitJobRequestSchema,
  type SubmitJobsRequest,
  SubmitJobsRequestSchema,
} from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { sortedMap } from './sorted-map.ts';

type Entries = Readonly<Record<string, unknown>>;

function isLong(map: Entries | undefined): boolean {
  let entries = 0;
  for (const _ in map) if (++entries > 1) return true;
  return false;
}

function hasOrder({ labels, input, demands }: JobSubmission): boolean {
  return isLong(labels) || isLong(input?.metadata) || isLong(demands?.labels) || isLong(demands?.resources);
}

function withSortedMaps(job: JobSubmission): JobSubmission {
  const { input, demands } = job;
  return {
    ...job,
    labels: sortedMap(job.labels),
    ...(input ? { input: { ...input, metadata: sortedMap(input.metadata) } } : {}),
    ...(demands
      ? { demands: { ...demands, labels: sortedMap(demands.labels), resources: sortedMap(demands.resources) } }
      : {}),
  };
}

/** Some languages encode a map in a different order each time, so the raw bytes would not recognize a retry. */
export function bodyHashOf(request: SubmitJobRequest | SubmitJobsRequest, body: Uint8Array): Uint8Array {
  return createHash('sha256').update(canonicalBody(request, body)).digest();
}

function canonicalBody(request: SubmitJobRequest | SubmitJobsRequest, body: Uint8Array): Uint8Array {
  if ('jobs' in request) {
    if (!request.jobs.some(hasOrder)) return body;
    return toBinary(SubmitJobsRequestSchema, { ...request, jobs: request.jobs.map(withSortedMaps) });
  }
  if (!request.job || !hasOrder(request.job)) return body;
  return toBinary(SubmitJobRequestSchema, { ...request, job: withSortedMaps(request.job) });
}
