/** Reads jobs with the fields that their spans need. */
import type { TracedAttempt, TracedJob } from '../../domain/events/job-spans.ts';
import { viewsOf } from '../jobs/read/read-jobs.ts';
import type { TraceRecord } from '../ports/events.ts';
import type { AttemptView, JobView } from '../ports/jobs.ts';
import type { Store } from '../ports/store.ts';

/** The jobs that still exist, in any order. Max 1,000. */
export async function readTracedJobs(store: Store, jobIds: readonly string[]): Promise<TracedJob[]> {
  const records = await store.readTraceRecords(jobIds);
  const views = await viewsOf(
    store,
    records.map(({ job }) => job),
  );
  return views.map((view, at) => tracedJob(view, records[at] as TraceRecord));
}

function tracedJob(view: JobView, { retryOf, step, dependsOn, cached }: TraceRecord): TracedJob {
  const { jobId, traceparent, namespace, definition, definitionVersion, queue, state, createTimeUs, endTimeUs } = view;
  return {
    ...{ jobId, traceparent, namespace, definition, definitionVersion, queue, state, createTimeUs, endTimeUs },
    errorType: view.failure?.type ?? '',
    attempts: view.attempts.map(tracedAttempt),
    ...{ retryOf, step, dependsOn, cached },
  };
}

function tracedAttempt({ failure, ...attempt }: AttemptView): TracedAttempt {
  return { ...attempt, errorType: failure?.type ?? '' };
}
