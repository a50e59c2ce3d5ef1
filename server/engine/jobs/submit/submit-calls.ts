/** Submissions: calls flushed together, each all or nothing, with request ids and idempotency keys. */
import { requestIdGone } from '../../base/request-ids.ts';
import type { Store } from '../../ports/store.ts';
import type { Insertion, Placement, SubmitCall, SubmitResult } from '../../ports/submissions.ts';
import { withHolders } from './apply-rules.ts';
import { insertCalls } from './insert-calls.ts';
import { readOwners, withOwners } from './key-owners.ts';
import { repeated, requestKey, stored } from './stored-calls.ts';
import { isExclusive, submitExclusive } from './submit-exclusive.ts';

const UNIQUE_VIOLATION = '23505';

/**
 * Results in the order of the calls. A flush may be retried after a part of it was stored: stored calls are recognized
 * by their job ids, which no other call has.
 */
export async function submitCalls(
  store: Store,
  calls: readonly SubmitCall[],
  permits: Placement,
): Promise<SubmitResult[]> {
  let results: Map<SubmitCall, SubmitResult>;
  try {
    results = await submitAll(store, calls, permits);
  } catch (error) {
    if ((error as { code?: string }).code !== UNIQUE_VIOLATION) throw error;
    const before = await findStored(store, calls);
    if (before.size === 0) throw error;
    const rest = calls.filter((call) => !before.has(call));
    results = new Map([...before, ...(await submitAll(store, rest, permits))]);
  }
  return calls.map((call) => results.get(call) as SubmitResult);
}

/** Calls that may be refused because of other stored jobs go one by one, all others in one statement. */
async function submitAll(
  store: Store,
  calls: readonly SubmitCall[],
  permits: Placement,
): Promise<Map<SubmitCall, SubmitResult>> {
  const plain = calls.filter((call) => !isExclusive(call));
  const results = new Map<SubmitCall, SubmitResult>();
  if (plain.length > 0) {
    const answers = await submitPlain(store, plain, permits);
    plain.forEach((call, i) => {
      results.set(call, answers[i] as SubmitResult);
    });
  }
  for (const call of calls) if (isExclusive(call)) results.set(call, await submitExclusive(store, call));
  return results;
}

/** One statement, one round trip; a second one only for repeated request ids. */
async function submitPlain(store: Store, calls: readonly SubmitCall[], permits: Placement): Promise<SubmitResult[]> {
  const first = firstTries(calls);
  const insertions = calls.filter((call) => first.has(call)).map(insertionOf);
  const inserted = await insertCalls(store, insertions, permits);
  const isStored = (call: SubmitCall) => first.has(call) && (!call.requestId || inserted.first.has(call));
  const { assigned, ranks } = inserted;
  const repeats = calls.filter((call) => !isStored(call));
  const rows = repeats.length > 0 ? await store.readStoredCalls(repeats) : [];
  const earlier = new Map(rows.map((row) => [requestKey(row), row]));
  return calls.map((call) => {
    if (isStored(call)) return stored(insertionOf(call), assigned, ranks);
    const before = earlier.get(requestKey(call));
    if (!before) throw requestIdGone();
    return repeated(call, before);
  });
}

/** The calls whose request id comes for the first time in this flush. */
function firstTries(calls: readonly SubmitCall[]): Set<SubmitCall> {
  const seen = new Set<string>();
  return new Set(
    calls.filter((call) => {
      if (!call.requestId) return true;
      const key = requestKey(call);
      return !seen.has(key) && seen.add(key);
    }),
  );
}

function insertionOf(call: SubmitCall): Insertion {
  return { call, jobs: call.jobs, jobIds: call.jobs.map((job) => job.jobId), existing: call.jobs.map(() => false) };
}

/** Calls of these that an earlier attempt stored: a call is all or nothing, so one of its jobs proves the others. */
async function findStored(store: Store, calls: readonly SubmitCall[]): Promise<Map<SubmitCall, SubmitResult>> {
  const found = new Set(await store.findJobs(calls.flatMap((call) => call.jobs.map((job) => job.jobId))));
  const there = calls.filter((call) => call.jobs.some((job) => found.has(job.jobId)));
  const results = new Map<SubmitCall, SubmitResult>();
  for (const call of there) {
    const owners = call.keys.length > 0 ? await readOwners(store, call) : new Map();
    // A stored job may have been replaced since: its key then names another job.
    const isStored = (jobId: string) => found.has(jobId);
    results.set(call, stored(await withHolders(store, withOwners(call, owners, isStored), isStored)));
  }
  return results;
}
