/** Children of handlers: jobs that an attempt submits. A call of an attempt that has ended is refused. */
import { ATTACHED, DETACHED, MAX_CHILDREN, MAX_DEPTH } from '../../domain/dependencies/children.ts';
import type { DependencyRefusal, ParentAttempt } from '../ports/dependencies.ts';
import type { Store } from '../ports/store.ts';
import type { Insertion, NewJob } from '../ports/submissions.ts';

/** Makes the jobs children of the attempt's job, within the transaction that stores them. */
export async function withParent(
  tx: Store,
  insertion: Insertion,
  parentAttempt: ParentAttempt,
): Promise<Insertion | DependencyRefusal> {
  const { call, jobs } = insertion;
  const { jobId, detached } = parentAttempt;
  const [children, depth, trace] = await Promise.all([
    tx.dependencies.adopt(call.namespace, parentAttempt, jobs.length),
    tx.dependencies.readDepth(jobId),
    traceOf(tx, insertion, jobId),
  ]);
  if (children === undefined) return { kind: 'childrenRefused', why: 'CLOSED' };
  if (children > MAX_CHILDREN) return { kind: 'childrenRefused', why: 'FULL' };
  if (depth >= MAX_DEPTH) return { kind: 'childrenRefused', why: 'TOO_DEEP' };
  const parent = { jobId, step: detached ? DETACHED : ATTACHED, item: 0 };
  return { ...insertion, jobs: jobs.map((job) => ({ ...job, ...(!job.traceparent && trace), parent })) };
}

/** The trace context stored for children that have none of their own. */
async function traceOf(
  tx: Store,
  { call, jobs }: Insertion,
  jobId: string,
): Promise<Pick<NewJob, 'traceparent' | 'tracestate'>> {
  if (!call.traceUnder || jobs.every((job) => job.traceparent)) return {};
  const { traceparent, tracestate } = call.traceUnder(await tx.dependencies.readTrace(jobId));
  return { traceparent: traceparent || undefined, tracestate: tracestate || undefined };
}
