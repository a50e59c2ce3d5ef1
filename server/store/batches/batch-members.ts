/** Adds jobs to a batch as members, within the transaction that stores them. */
import { MAX_MEMBERS } from '../../domain/batches/batch.ts';
import { afterPage, type BatchRetry, type RetryPage } from '../../domain/batches/batch-retry.ts';
import type { MembersRefused } from '../../domain/batches/membership.ts';
import { stateCodes } from '../../domain/jobs/job-state.ts';
import type { BatchRefusal, Insertion, SubmitCall } from '../../engine/ports/submissions.ts';
import type { Session, Statement } from '../driver/database.ts';
import type { RowOf } from '../driver/row-types.ts';
import { retryColumns, retryOf, retryRowType, writePage } from './batch-retries.ts';
import { stopReasonCodes } from './batch-stop-reasons.ts';

export interface OpenBatch {
  readonly jobId: string;
  /** The batch's members. No other call adds any until the transaction ends. */
  readonly members: number;
  /** Undefined: the batch retries no other batch. */
  readonly retry: BatchRetry | undefined;
}

const lockOne = {
  name: 'lock_batch',
  text: `SELECT members, seal_time, stop_reason, ${retryColumns} FROM batches WHERE job_id = $1 FOR NO KEY UPDATE`,
  row: {
    members: 'int4',
    seal_time: 'timestamptz?',
    stop_reason: 'int2',
    ...retryRowType,
  },
} satisfies Statement;

// A separate statement: the one that locks may have begun before the batch was cancelled or ended.
const readJob = {
  name: 'read_batch_job',
  text: `
SELECT (SELECT state FROM job_runs WHERE job_id = $1) AS state, l.namespace
FROM (SELECT lane_id FROM jobs WHERE job_id = $1 OFFSET 0) AS j CROSS JOIN LATERAL (SELECT namespace FROM lanes WHERE lanes.lane_id = j.lane_id OFFSET 0) AS l`,
  row: { state: 'int2?', namespace: 'text' },
} satisfies Statement;

const addSome = {
  name: 'add_batch_members',
  text: 'UPDATE batches SET members = members + $2 WHERE job_id = $1',
};

/** Locks the batch of a call. Undefined: the call has no batch. */
export async function openBatch(
  session: Session,
  { namespace, batchJobId: jobId, retryPage }: SubmitCall,
): Promise<OpenBatch | BatchRefusal | undefined> {
  if (jobId === undefined) return undefined;
  const [[batch], [job]] = await Promise.all([session.run(lockOne, [jobId]), session.run(readJob, [jobId])]);
  if (!batch || job?.namespace !== namespace) return refused({ jobId, members: 0 }, 'NOT_FOUND');
  const open = { jobId, members: batch.members, retry: batch.retry_of === null ? undefined : retryOf(batch) };
  const why = whyClosed(batch, job.state) ?? whyNotOf(open, retryPage);
  return why ? refused(open, why) : open;
}

function whyClosed(row: RowOf<typeof lockOne>, state: number | null): MembersRefused | undefined {
  if (row.stop_reason === stopReasonCodes.CANCELLED || state === stateCodes.CANCELLING) return 'CANCELLED';
  if (row.stop_reason === stopReasonCodes.FAILED) return 'ENDED';
  if (row.seal_time !== null) return 'SEALED';
  return state === null ? 'ENDED' : undefined;
}

function whyNotOf({ retry }: OpenBatch, page: RetryPage | undefined): MembersRefused | undefined {
  if (retry && !page) return 'RETRY';
  return retry?.nextItem === page?.fromItem ? undefined : 'PAGE_DONE';
}

function refused({ jobId, members }: Pick<OpenBatch, 'jobId' | 'members'>, why: MembersRefused): BatchRefusal {
  return { kind: 'batchRefused', jobId, why, members };
}

/** Makes the jobs members of the batch, numbered from its current member count. */
export function withParents(insertion: Insertion, batch: OpenBatch): Insertion | BatchRefusal {
  const { jobId, members } = batch;
  if (members + insertion.jobs.length > MAX_MEMBERS) return refused(batch, 'FULL');
  const jobs = insertion.jobs.map((job, i) => ({ ...job, parent: { jobId, step: 0, item: members + i } }));
  return { ...insertion, jobs };
}

export async function addMembers(
  session: Session,
  { jobId, retry }: OpenBatch,
  { call, jobs }: Pick<Insertion, 'call' | 'jobs'>,
): Promise<void> {
  const members = jobs.length;
  const { retryPage: page } = call;
  if (retry && page) await writePage(session, jobId, afterPage(retry, page, call.jobs.length - members), members);
  else if (members > 0) await session.run(addSome, [jobId, members]);
}
