/** Reads jobs with their attempts, and with the reason for which they wait. */
import type { NotedReport } from '../../ports/attempts.ts';
import type { AttemptView, JobName, JobRecord, JobView, ListedJob } from '../../ports/jobs.ts';
import type { Store } from '../../ports/store.ts';
import { readGateReasons, withGateReason } from './gate-reasons.ts';

/** In the order of the names; undefined for a missing job. Max 1,000. */
export async function readJobs(store: Store, names: readonly JobName[]): Promise<(JobView | undefined)[]> {
  const found = await viewsOf(store, await store.readJobRecords(names));
  const views = new Map(found.map((view) => [`${view.namespace}/${view.jobId}`, view]));
  return names.map((name) => views.get(`${name.namespace}/${name.jobId}`));
}

/** Each with its attempts. */
export async function viewsOf(store: Store, records: readonly JobRecord[]): Promise<JobView[]> {
  const closed = await readOf(records.filter(hasClosedAttempts), store.readAttempts);
  const late = await readOf(records.filter(mayHaveLateReports), store.readLateReports);
  const views = await completeViews(store, records);
  return records.map((record, at) => {
    const view = views[at] as JobView;
    const before = closed.get(view.jobId) ?? [];
    const attempts = [...before, ...lastAttempt(record, before)];
    return { ...view, attempts: withLateReports(attempts, late.get(view.jobId) ?? []) };
  });
}

/** Adds what only few jobs have: why their lanes are gated, and when they missed their soft deadlines. */
export async function completeViews(store: Store, jobs: readonly ListedJob[]): Promise<JobView[]> {
  const missed = await readOf(jobs.filter(hasSoftDeadline), store.readDeadlineMisses);
  const reasons = await readGateReasons(store, jobs);
  return jobs.map((job) => {
    const view = withGateReason(job, reasons);
    const miss = missed.get(view.jobId);
    // The job was read first: what came after its revision is not for this view.
    return miss && miss.revision <= view.revision ? { ...view, softDeadlineMissUs: miss.timeUs } : view;
  });
}

/** A job that several callers ask for comes several times, and is read once. Without jobs nothing is read. */
async function readOf<T>(
  jobs: readonly ListedJob[],
  read: (jobIds: readonly string[]) => Promise<ReadonlyMap<string, T>>,
): Promise<ReadonlyMap<string, T>> {
  return jobs.length > 0 ? read([...new Set(jobs.map(({ view }) => view.jobId))]) : new Map();
}

const hasSoftDeadline = ({ view }: ListedJob) => view.softDeadlineUs !== undefined;

/** Results come late only of attempts that were closed without one. */
function mayHaveLateReports(record: JobRecord): boolean {
  const { state, endTimeUs } = record.view;
  return hasClosedAttempts(record) || (record.last !== undefined && endTimeUs !== undefined && state !== 'SUCCEEDED');
}

function withLateReports(attempts: readonly AttemptView[], reports: readonly NotedReport[]): AttemptView[] {
  const byAttempt = new Map(reports.map((report) => [report.attempt, report]));
  return attempts.map((one) => ({ ...one, late: byAttempt.get(one.attempt) }));
}

/** Whether attempts before the last one may be on record. A job between two attempts has none open. */
function hasClosedAttempts({ view }: JobRecord): boolean {
  return view.attempt > 1 || (view.attempt === 1 && view.sessionId === undefined);
}

/** `before`: attempts closed earlier. A job that was resumed after its last attempt counts only those since then. */
function lastAttempt({ view, last }: JobRecord, before: readonly AttemptView[]): AttemptView[] {
  if (!last) return [];
  const since = before.slice(before.findLastIndex(({ exhausted }) => exhausted) + 1);
  const countedBefore = since.filter(({ counted }) => counted).length;
  return [{ ...last, counted: last.counted && view.attemptCount > countedBefore }];
}
