/** Methods of JobService that change all jobs matching a filter, one page at a time: cancel, pause, resume, retry. */
import { create } from '@bufbuild/protobuf';
import {
  CancelJobsResponseSchema,
  type JobFilter,
  type JobService,
  PauseJobsResponseSchema,
  ResumeJobsResponseSchema,
  RetryJobsResponseSchema,
} from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { isTerminal, type JobState, stateCodes } from '../../domain/jobs/job-state.ts';
import type { JobPage } from '../../engine/ports/jobs.ts';
import type { Replica } from '../../engine/replica.ts';
import { checkText, namespaceOf, requestIdOf } from '../base/checks.ts';
import type { Implementation } from '../base/implementation.ts';
import { pageToken, positionOf } from '../base/page-token.ts';
import { requestKey } from '../base/request-key.ts';
import { Violations } from '../base/violations.ts';
import { filterText, jobFilterFrom } from './convert-job-filter.ts';
import { pauseFrom } from './pause-request.ts';

const JOBS_PER_PAGE = 1_000;
const openStates = (Object.keys(stateCodes) as JobState[]).filter((state) => !isTerminal(state));
const waitingStates: JobState[] = ['BLOCKED', 'SCHEDULED', 'READY'];
/** WAITING: a workflow, a batch, or a job whose handler waits for children. */
const begunStates: JobState[] = ['ASSIGNED', 'RUNNING', 'WAITING'];
const retriedStates: JobState[] = ['FAILED', 'CANCELLED', 'EXPIRED', 'SKIPPED'];
const retriedByDefault: JobState[] = ['FAILED', 'EXPIRED'];

interface PageRequest {
  readonly namespace: string;
  readonly filter?: JobFilter | undefined;
  readonly pageToken: string;
}

interface Page extends JobPage {
  readonly namespace: string;
  /** Identifies the requested page. */
  readonly name: string;
  tokenOf(nextBeforeJobId: string | undefined): string;
}

/** The differences between the RPCs. */
interface PageRules {
  readonly method: 'CancelJobs' | 'PauseJobs' | 'ResumeJobs' | 'RetryJobs';
  readonly allowed: readonly JobState[];
  readonly byDefault: readonly JobState[];
}

/** The page of jobs that a request names. Also throws the violations found so far. */
async function pageOf(replica: Replica, request: PageRequest, rules: PageRules, violations: Violations): Promise<Page> {
  const namespace = namespaceOf(request.namespace, violations);
  // Otherwise an empty request would affect all jobs.
  violations.check(request.filter !== undefined, 'filter', 'is missing; an empty one means every job of the namespace');
  const asked = jobFilterFrom(request.filter, violations);
  const wrong = asked.states.find((state) => !rules.allowed.includes(state));
  violations.check(
    wrong === undefined,
    'filter.states',
    `has ${wrong}; ${rules.method} takes ${rules.allowed.join(', ')}`,
  );
  const filter = { ...asked, states: asked.states.length > 0 ? asked.states : rules.byDefault };
  const key = await replica.pageTokenKey();
  const list = [rules.method, namespace, filterText(filter)];
  const beforeJobId = positionOf(request.pageToken, key, list, violations);
  violations.throwIfAny();
  const page = await replica.listJobs({ namespace, filter, beforeJobId, limit: JOBS_PER_PAGE });
  return {
    ...page,
    namespace,
    name: JSON.stringify([list, request.pageToken]),
    tokenOf: (nextBeforeJobId) => (nextBeforeJobId ? pageToken(key, list, nextBeforeJobId) : ''),
  };
}

/** Refuses failure types, by which only ended jobs can be selected. */
function checkOpen(filter: JobFilter | undefined, violations: Violations): void {
  const { length } = filter?.failureTypes ?? [];
  violations.check(length === 0, 'filter.failure_types', 'must be empty: an open job has no failure that ended it');
}

function idsIn({ jobs }: Pick<Page, 'jobs'>, states: readonly JobState[]): string[] {
  return jobs.filter(({ state }) => states.includes(state)).map(({ jobId }) => jobId);
}

type Pages = 'cancelJobs' | 'pauseJobs' | 'resumeJobs' | 'retryJobs';

export function jobPages(replica: Replica): Pick<Implementation<typeof JobService>, Pages> {
  return {
    async cancelJobs(request) {
      const violations = new Violations();
      checkText(request.reason, 256, 'reason', violations);
      checkOpen(request.filter, violations);
      const rules: PageRules = { method: 'CancelJobs', allowed: openStates, byDefault: openStates };
      const { jobs, namespace, nextBeforeJobId, tokenOf } = await pageOf(replica, request, rules, violations);
      const ids = jobs.filter((job) => job.state !== 'CANCELLING').map((job) => job.jobId);
      const cancelled = request.validateOnly
        ? ids.length
        : await replica.cancels.cancelMany(namespace, ids, { reason: request.reason, by: 'HAND' });
      return create(CancelJobsResponseSchema, { cancelledCount: cancelled, nextPageToken: tokenOf(nextBeforeJobId) });
    },
    async pauseJobs(request) {
      const violations = new Violations();
      const pause = pauseFrom(request, violations);
      checkOpen(request.filter, violations);
      const rules: PageRules = { method: 'PauseJobs', allowed: openStates, byDefault: openStates };
      const page = await pageOf(replica, request, rules, violations);
      const { namespace, nextBeforeJobId, tokenOf } = page;
      const pausedCount = request.validateOnly
        ? idsIn(page, [...waitingStates, ...(pause.running ? begunStates : [])]).length
        : await replica.pauses.pauseMany(namespace, idsIn(page, openStates), pause);
      return create(PauseJobsResponseSchema, { pausedCount, nextPageToken: tokenOf(nextBeforeJobId) });
    },
    async resumeJobs(request) {
      const violations = new Violations();
      checkOpen(request.filter, violations);
      const states: JobState[] = ['PAUSED', ...begunStates];
      const rules: PageRules = { method: 'ResumeJobs', allowed: states, byDefault: states };
      const page = await pageOf(replica, request, rules, violations);
      const { namespace, nextBeforeJobId, tokenOf } = page;
      const resumedCount = request.validateOnly
        ? idsIn(page, ['PAUSED']).length
        : await replica.pauses.resumeMany(namespace, idsIn(page, states));
      return create(ResumeJobsResponseSchema, { resumedCount, nextPageToken: tokenOf(nextBeforeJobId) });
    },
    async retryJobs(request) {
      const violations = new Violations();
      const requestId = requestIdOf(request.requestId, violations);
      const rules: PageRules = { method: 'RetryJobs', allowed: retriedStates, byDefault: retriedByDefault };
      const found = await pageOf(replica, request, rules, violations);
      const { namespace, nextBeforeJobId, tokenOf } = found;
      // Oldest first, in the order of their creation.
      const page = { jobIds: found.jobs.map((job) => job.jobId).reverse(), nextBeforeJobId };
      // A repeat is recognized by the page's name: the bytes of its filter, which has a map, may differ each time.
      const key = request.validateOnly ? undefined : requestKey('RetryJobs', requestId, Buffer.from(found.name));
      const kept = await replica.retries.pageOf(namespace, key, page);
      const redriven = await replica.retries.redrive(namespace, kept.jobIds, request.validateOnly);
      return create(RetryJobsResponseSchema, {
        jobIds: [...redriven.jobIds],
        retriedJobIds: [...redriven.retriedJobIds],
        skippedCount: redriven.skipped,
        nextPageToken: tokenOf(kept.nextBeforeJobId),
      });
    },
  };
}
