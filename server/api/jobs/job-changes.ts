/** Methods of JobService that change a submitted job: cancel, pause, update, retry, erase. */
import { create } from '@bufbuild/protobuf';
import {
  CancelJobResponseSchema,
  EraseJobResponseSchema,
  FailJobResponseSchema,
  type JobService,
  PauseJobResponseSchema,
  ResumeJobResponseSchema,
  RetryJobResponseSchema,
  type UpdateJobRequest,
  UpdateJobResponseSchema,
} from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import type { Update } from '../../domain/jobs/pause.ts';
import type { Replica } from '../../engine/replica.ts';
import { checkRange, checkText, requestIdOf, timestampUs } from '../base/checks.ts';
import type { Implementation } from '../base/implementation.ts';
import { requestKey } from '../base/request-key.ts';
import { Violations } from '../base/violations.ts';
import { checkSkipReason, checkSkipSteps } from '../workflows/skipped-steps.ts';
import { jobTo } from './convert-job.ts';
import { jobNameOf } from './job-name.ts';
import { graceFrom, pauseFrom } from './pause-request.ts';

function updateFrom(wire: UpdateJobRequest, violations: Violations): Update {
  const { priority, runTime, expireTime } = wire;
  violations.check(
    priority !== undefined || runTime !== undefined || expireTime !== undefined,
    'priority',
    'is missing, and so are run_time and expire_time: at least one of them is needed',
  );
  if (priority !== undefined) checkRange(priority, -100, 100, 'priority', violations);
  const runTimeUs = timestampUs(runTime, 'run_time', violations);
  const expireTimeUs = timestampUs(expireTime, 'expire_time', violations);
  violations.check(
    runTimeUs === undefined || expireTimeUs === undefined || runTimeUs <= expireTimeUs,
    'run_time',
    'is later than expire_time: the job could never run',
  );
  return { priority, runTimeUs, expireTimeUs };
}

type Changes = 'cancelJob' | 'pauseJob' | 'resumeJob' | 'failJob' | 'updateJob' | 'retryJob' | 'eraseJob';

export function jobChanges(replica: Replica): Pick<Implementation<typeof JobService>, Changes> {
  return {
    // Nothing undoes a cancel, so a repeat changes nothing, however late it comes: the request id is only checked.
    async cancelJob(request) {
      const violations = new Violations();
      checkText(request.reason, 256, 'reason', violations);
      requestIdOf(request.requestId, violations);
      const { reason, grace } = request;
      const cancel = { reason, by: 'HAND', graceMs: graceFrom({ running: true, grace }, violations) } as const;
      const { namespace, jobId } = jobNameOf(request, violations);
      return create(CancelJobResponseSchema, { job: jobTo(await replica.cancels.cancel(namespace, jobId, cancel)) });
    },
    async pauseJob(request, context) {
      const violations = new Violations();
      const requestId = requestIdOf(request.requestId, violations);
      const pause = pauseFrom(request, violations);
      const { namespace, jobId } = jobNameOf(request, violations);
      const key = requestKey('PauseJob', requestId, context.body);
      return create(PauseJobResponseSchema, { job: jobTo(await replica.pauses.pause(namespace, jobId, pause, key)) });
    },
    async resumeJob(request, context) {
      const violations = new Violations();
      const requestId = requestIdOf(request.requestId, violations);
      const { namespace, jobId } = jobNameOf(request, violations);
      const key = requestKey('ResumeJob', requestId, context.body);
      return create(ResumeJobResponseSchema, { job: jobTo(await replica.pauses.resume(namespace, jobId, key)) });
    },
    async failJob(request, context) {
      const violations = new Violations();
      checkText(request.reason, 256, 'reason', violations);
      const requestId = requestIdOf(request.requestId, violations);
      const { namespace, jobId } = jobNameOf(request, violations);
      const key = requestKey('FailJob', requestId, context.body);
      const job = await replica.pauses.fail(namespace, jobId, request.reason, key);
      return create(FailJobResponseSchema, { job: jobTo(job) });
    },
    async updateJob(request, context) {
      const violations = new Violations();
      const requestId = requestIdOf(request.requestId, violations);
      const update = updateFrom(request, violations);
      const { namespace, jobId } = jobNameOf(request, violations);
      const key = requestKey('UpdateJob', requestId, context.body);
      return create(UpdateJobResponseSchema, {
        job: jobTo(await replica.pauses.update(namespace, jobId, update, key)),
      });
    },
    async retryJob(request) {
      const violations = new Violations();
      const requestId = requestIdOf(request.requestId, violations);
      const { skipSteps, reason } = request;
      checkSkipSteps(skipSteps, violations);
      checkSkipReason(reason, violations);
      const { namespace, jobId } = jobNameOf(request, violations);
      const job = await replica.retries.retry(namespace, jobId, requestId, { skipSteps, reason });
      return create(RetryJobResponseSchema, { job: jobTo(job) });
    },
    async eraseJob(request) {
      const violations = new Violations();
      violations.check(request.reason !== '', 'reason', 'is missing: say why the data is erased, and who asked for it');
      checkText(request.reason, 256, 'reason', violations);
      const { namespace, jobId } = jobNameOf(request, violations);
      const { job, auditId } = await replica.erasures.erase(namespace, jobId, request.reason);
      return create(EraseJobResponseSchema, { job: jobTo(job), auditId });
    },
  };
}
