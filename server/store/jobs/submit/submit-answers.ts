/** Answers to calls: as they are stored now, or as an earlier call with their request id was. */
import type { Insertion, SubmitCall, SubmitResult } from '../../../engine/ports/submissions.ts';
import { inputTable } from '../../base/input-table.ts';
import { sameKey } from '../../base/same-key.ts';
import type { Session, Statement } from '../../driver/database.ts';
import type { RowOf } from '../../driver/row-types.ts';

const readRequestIds = {
  name: 'read_request_ids',
  text: `
SELECT r.namespace, r.request_id, r.body_hash, r.job_ids, r.existing
FROM ${inputTable({ namespace: 'text', request_id: 'uuid' }, 'i')} JOIN request_ids r
  ON ${sameKey('r.namespace', 'i.namespace')} AND ${sameKey('r.request_id', 'i.request_id')}`,
  row: { namespace: 'text', request_id: 'uuid', body_hash: 'bytea', job_ids: 'uuid[]', existing: 'bool[]' },
} satisfies Statement;

type RequestRow = RowOf<typeof readRequestIds>;

export function stored(
  { jobIds, existing }: Pick<Insertion, 'jobIds' | 'existing'>,
  assigned: ReadonlySet<string> = new Set(),
  ranks: ReadonlyMap<string, number> = noRanks,
): SubmitResult & { readonly kind: 'stored' } {
  const jobs = jobIds.map((jobId, i) => ({
    jobId,
    existing: existing[i] ?? false,
    assigned: assigned.has(jobId),
    rank: ranks.get(jobId),
  }));
  return { kind: 'stored', jobs };
}

export const noRanks: ReadonlyMap<string, number> = new Map();

/** The key of a call's request id. Unique, since a namespace has no slash. */
export function requestKey(namespace: string, requestId: string): string {
  return `${namespace}/${requestId}`;
}

type RequestName = Pick<SubmitCall, 'namespace' | 'requestId'>;

/** The answer to a repeated request id, or that another call has used it. */
export function repeated(call: Pick<SubmitCall, 'bodyHash'>, row: RequestRow): SubmitResult {
  if (Buffer.compare(row.body_hash, call.bodyHash ?? new Uint8Array()) !== 0) return { kind: 'requestIdReused' };
  const { job_ids: jobIds } = row;
  const { kind, jobs } = stored({ jobIds, existing: jobIds.map(() => true) });
  return { kind, jobs: jobs.map((job, i) => (row.existing[i] ? { ...job, duplicate: true } : job)), repeated: true };
}

export async function readRepeated(session: Session, calls: readonly RequestName[]): Promise<Map<string, RequestRow>> {
  if (calls.length === 0) return new Map();
  const rows = await session.run(readRequestIds, [calls.map((c) => c.namespace), calls.map((c) => c.requestId)]);
  return new Map(rows.map((row) => [requestKey(row.namespace, row.request_id), row]));
}

export async function findSubmission(
  session: Session,
  call: RequestName & Pick<SubmitCall, 'bodyHash'>,
): Promise<SubmitResult | undefined> {
  const row = (await readRepeated(session, [call])).values().next().value;
  return row && repeated(call, row);
}
