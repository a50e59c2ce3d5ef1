/** Reads jobs with their attempts, and with the reason for which they wait. */
import type { AttemptView, JobName, JobRecord, JobView } from '../../ports/jobs.ts';
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
  // A job that several callers ask for comes several times: its attempts are read once.
  const tried = [...new Set(records.filter(hasClosedAttempts).map(({ view }) => view.jobId))];
  const closed = tried.length > 0 ? await store.readAttempts(tried) : new Map<string, AttemptView[]>();
  const reasons = await readGateReasons(store, records);
  return records.map((record) => {
    const before = closed.get(record.view.jobId) ?? [];
    return { ...withGateReason(record, reasons), attempts: [...before, ...lastAttempt(record, before)] };
  });
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
