/** JobService: submits jobs and follows them. */
import { create } from '@bufbuild/protobuf';
import {
  ExplainJobResponseSchema,
  GetJobResponseSchema,
  type JobService,
  ListJobsResponseSchema,
  type SubmitJobRequest,
  SubmitJobResponseSchema,
  type SubmitJobsRequest,
  SubmitJobsResponseSchema,
  WaitJobResponseSchema,
  WatchJobResponseSchema,
} from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import type { SubmittedJob } from '../../engine/ports/submissions.ts';
import type { Replica } from '../../engine/replica.ts';
import { bodyHashOf } from '../base/body-hash.ts';
import { durationMs, jobIdOf, namespaceOf, pageSizeOf, requestIdOf, TEN_YEARS_MS } from '../base/checks.ts';
import type { CallContext } from '../base/context.ts';
import type { Implementation } from '../base/implementation.ts';
import { pageToken, positionOf } from '../base/page-token.ts';
import { Violations } from '../base/violations.ts';
import { parentFrom } from '../dependencies/convert-dependency.ts';
import { dependencyCalls } from '../dependencies/dependencies.ts';
import { explanationTo } from '../explain/convert-explanation.ts';
import { attemptLogs } from '../sessions/attempt-logs.ts';
import { jobTo, submissionFrom, traceFrom } from './convert-job.ts';
import { filterText, jobFilterFrom } from './convert-job-filter.ts';
import { jobChanges } from './job-changes.ts';
import { jobNameOf } from './job-name.ts';
import { jobPages } from './job-pages.ts';

const MAX_JOBS = 10_000;
const MAX_CALL_BYTES = 3 << 20;
const DEFAULT_WAIT_MS = 30_000;
const MAX_WAIT_MS = 300_000;

async function submit(
  replica: Replica,
  request: SubmitJobRequest | SubmitJobsRequest,
  field: 'job' | 'jobs',
  context: CallContext,
): Promise<readonly SubmittedJob[]> {
  const violations = new Violations();
  const namespace = namespaceOf(request.namespace, violations);
  const requestId = requestIdOf(request.requestId, violations);
  const batchJobId = request.batchJobId ? jobIdOf(request.batchJobId, violations, 'batch_job_id') : undefined;
  const parentAttempt = parentFrom(request.parent, violations);
  violations.check(
    !(parentAttempt && batchJobId),
    'parent',
    'and batch_job_id are both set: a job is a member of a batch or a child of a job',
  );
  const jobs = 'jobs' in request ? request.jobs : request.job ? [request.job] : [];
  violations.check(jobs.length > 0, field, 'is missing: at least one job is needed');
  violations.check(jobs.length <= MAX_JOBS, field, `has ${jobs.length} entries; at most ${MAX_JOBS} are allowed`);
  violations.check(
    context.body.length <= MAX_CALL_BYTES,
    field,
    `is ${context.body.length} bytes; at most ${MAX_CALL_BYTES} are allowed in a call: send several`,
  );
  violations.throwIfAny();
  const defaults = {
    maxPayload: replica.maxPayload,
    trace: traceFrom(context.header('traceparent'), context.header('tracestate').slice(0, 512)),
  };
  const submissions = jobs.map((job, i) =>
    submissionFrom(job, field === 'job' ? 'job' : `jobs[${i}]`, defaults, violations),
  );
  violations.throwIfAny();
  const bodyHash = requestId ? bodyHashOf(request, context.body) : new Uint8Array();
  return replica.submissions.submit({ namespace, requestId, bodyHash, submissions, field, batchJobId, parentAttempt });
}

export function jobService(replica: Replica): Implementation<typeof JobService> {
  return {
    ...attemptLogs(replica),
    ...jobChanges(replica),
    ...jobPages(replica),
    ...dependencyCalls(replica),
    async submitJob(request, context) {
      const [job] = await submit(replica, request, 'job', context);
      return create(SubmitJobResponseSchema, job as SubmittedJob);
    },
    async submitJobs(request, context) {
      return create(SubmitJobsResponseSchema, { jobs: [...(await submit(replica, request, 'jobs', context))] });
    },
    async getJob(request) {
      const { namespace, jobId } = jobNameOf(request, new Violations());
      return create(GetJobResponseSchema, { job: jobTo(await replica.explanations.getJob(namespace, jobId)) });
    },
    async explainJob(request) {
      const { namespace, jobId } = jobNameOf(request, new Violations());
      const explanation = explanationTo(await replica.explanations.explain(namespace, jobId));
      return create(ExplainJobResponseSchema, { explanation });
    },
    async waitJob(request, context) {
      const violations = new Violations();
      const asked = durationMs(request.timeout, 0, TEN_YEARS_MS, 'timeout', violations) ?? DEFAULT_WAIT_MS;
      const { namespace, jobId } = jobNameOf(request, violations);
      const job = await replica.waits.wait(namespace, jobId, Math.min(asked, MAX_WAIT_MS), context.signal);
      return create(WaitJobResponseSchema, { job: jobTo(job) });
    },
    async listJobs(request) {
      const violations = new Violations();
      const namespace = namespaceOf(request.namespace, violations);
      const limit = pageSizeOf(request.pageSize, violations);
      const filter = jobFilterFrom(request.filter, violations);
      const key = await replica.pageTokenKey();
      const list = ['ListJobs', namespace, filterText(filter)];
      const beforeJobId = positionOf(request.pageToken, key, list, violations);
      violations.throwIfAny();
      const { jobs, nextBeforeJobId } = await replica.listJobs({ namespace, filter, beforeJobId, limit });
      const nextPageToken = nextBeforeJobId ? pageToken(key, list, nextBeforeJobId) : '';
      return create(ListJobsResponseSchema, { jobs: jobs.map(jobTo), nextPageToken });
    },
    async *watchJob(request, context) {
      const { namespace, jobId } = jobNameOf(request, new Violations());
      for await (const job of replica.watches.watch(namespace, jobId, context.signal))
        yield create(WatchJobResponseSchema, { job: jobTo(job) });
    },
  };
}
