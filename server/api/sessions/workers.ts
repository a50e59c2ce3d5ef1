/** WorkerService: shows workers to operators. */
import { create } from '@bufbuild/protobuf';
import { JobState } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import {
  type HeldJob,
  HeldJobSchema,
  SessionState,
  type Worker,
  WorkerSchema,
} from '@muster-jobs/sdk/gen/muster/v1/worker_pb';
import {
  DrainWorkerResponseSchema,
  GetWorkerResponseSchema,
  ListWorkersResponseSchema,
  type WorkerService,
} from '@muster-jobs/sdk/gen/muster/v1/worker_service_pb';
import type { HeldJob as HeldJobView, WorkerView } from '../../engine/ports/sessions.ts';
import type { Replica } from '../../engine/replica.ts';
import { NIL_UUID, namespaceOf, pageSizeOf, requestIdOf, sessionIdOf } from '../base/checks.ts';
import { timestampTo } from '../base/convert-payload.ts';
import type { Implementation } from '../base/implementation.ts';
import { pageToken, positionOf } from '../base/page-token.ts';
import { Violations } from '../base/violations.ts';
import { progressTo } from '../jobs/convert-progress.ts';

function workerTo(session: WorkerView, deaf: boolean): Worker {
  const [openTime, beatTime, leaseExpireTime] = [session.openTimeUs, session.beatTimeUs, session.leaseUntilUs].map(
    (us) => timestampTo(us),
  );
  return create(WorkerSchema, {
    name: session.workerName,
    namespace: session.namespace,
    sessionId: session.sessionId,
    state: SessionState[session.state],
    handlers: session.handlers.map((handler) => ({ ...handler })),
    labels: { ...session.labels },
    resources: { ...session.resources },
    slots: session.slots,
    heldCount: session.held,
    sdk: { ...session.sdk },
    ...(openTime ? { openTime } : {}),
    ...(beatTime ? { beatTime } : {}),
    ...(leaseExpireTime ? { leaseExpireTime } : {}),
    deaf,
    draining: session.draining,
  });
}

function heldJobTo(job: HeldJobView): HeldJob {
  const { jobId, definition, attempt, state, assignTimeUs, progress } = job;
  const assignTime = timestampTo(assignTimeUs);
  return create(HeldJobSchema, {
    jobId,
    definition,
    attempt,
    state: JobState[state],
    ...(assignTime ? { assignTime } : {}),
    ...(progress ? { progress: progressTo(progress, job) } : {}),
  });
}

/** The namespace and the session that a request names. Also throws the violations found so far. */
function workerNameOf(
  request: { namespace: string; sessionId: string },
  violations: Violations,
): [namespace: string, sessionId: string] {
  const namespace = namespaceOf(request.namespace, violations);
  const sessionId = sessionIdOf(request.sessionId, violations);
  violations.throwIfAny();
  return [namespace, sessionId];
}

export function workerService(replica: Replica): Implementation<typeof WorkerService> {
  return {
    async listWorkers(request) {
      const violations = new Violations();
      const namespace = namespaceOf(request.namespace, violations);
      const size = pageSizeOf(request.pageSize, violations);
      const key = await replica.pageTokenKey();
      const list = ['ListWorkers', namespace];
      const after = positionOf(request.pageToken, key, list, violations);
      violations.throwIfAny();
      const rows = await replica.workers.list(namespace, after ?? NIL_UUID, size + 1);
      const page = rows.slice(0, size);
      const last = rows.length > size ? page.at(-1) : undefined;
      return create(ListWorkersResponseSchema, {
        workers: page.map((row) => workerTo(row, replica.workers.isDeaf(row))),
        nextPageToken: last ? pageToken(key, list, last.sessionId) : '',
      });
    },
    async getWorker(request) {
      const { worker, heldJobs } = await replica.workers.get(...workerNameOf(request, new Violations()));
      return create(GetWorkerResponseSchema, {
        worker: workerTo(worker, replica.workers.isDeaf(worker)),
        heldJobs: heldJobs.map(heldJobTo),
      });
    },
    // Nothing undoes a drain, so a repeat changes nothing, however late it comes: the request id is only checked.
    async drainWorker(request) {
      const violations = new Violations();
      requestIdOf(request.requestId, violations);
      const worker = await replica.workers.drain(...workerNameOf(request, violations));
      return create(DrainWorkerResponseSchema, { worker: workerTo(worker, replica.workers.isDeaf(worker)) });
    },
  };
}
