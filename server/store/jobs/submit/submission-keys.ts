/** Rows of the keys of submission rules. */
import { stateOf } from '../../../domain/jobs/job-state.ts';
import { nameOf, type OwnedKey } from '../../../domain/jobs/rule-keys.ts';
import type { KeyClaim, KeyTakeOver, RuleKey, UntilTimes } from '../../../engine/ports/submissions.ts';
import { inputTable } from '../../base/input-table.ts';
import { sameKey } from '../../base/same-key.ts';
import type { Session, Statement } from '../../driver/database.ts';

/** Codes as stored in SQL. */
const kindCodes: Readonly<Record<RuleKey['kind'], number>> = { UNIQUENESS: 1, DEBOUNCE: 2, THROTTLE: 3 };

const columns = { key_hash: 'bytea', kind: 'smallint', job_id: 'uuid', span_ms: 'bigint' };
const until = "(SELECT muster_now()) + span_ms * interval '1 ms'";

// Sorted, so that two calls that share keys wait for each other in one direction only.
const insertKeys = {
  name: 'insert_submission_keys',
  text: `
INSERT INTO submission_keys (key_hash, kind, job_id, until_time)
SELECT key_hash, kind, job_id, ${until} FROM ${inputTable(columns, 'i')} ORDER BY key_hash
ON CONFLICT DO NOTHING RETURNING key_hash, until_time`,
  row: { key_hash: 'bytea', until_time: 'timestamptz?' },
} satisfies Statement;

const lockKeys = {
  name: 'lock_submission_keys',
  text: 'SELECT key_hash FROM submission_keys WHERE key_hash = ANY($1::bytea[]) ORDER BY key_hash FOR NO KEY UPDATE',
  row: { key_hash: 'bytea' },
} satisfies Statement;

// A separate statement: only a snapshot younger than the locks sees the present holders, and the states of those jobs.
const readHolders = {
  name: 'read_submission_key_holders',
  text: `
SELECT k.key_hash, k.job_id, k.until_time, coalesce(r.state, o.state) AS state, j.create_time, (SELECT muster_now()) AS now
FROM submission_keys k
LEFT JOIN LATERAL (SELECT create_time FROM jobs WHERE jobs.job_id = k.job_id OFFSET 0) AS j ON true
LEFT JOIN LATERAL (SELECT state FROM job_runs WHERE job_runs.job_id = k.job_id OFFSET 0) AS r ON true
LEFT JOIN LATERAL (SELECT state FROM job_outcomes WHERE job_outcomes.job_id = k.job_id OFFSET 0) AS o ON true
WHERE k.key_hash = ANY($1::bytea[])`,
  row: {
    key_hash: 'bytea',
    job_id: 'uuid',
    until_time: 'timestamptz?',
    state: 'int2?',
    create_time: 'timestamptz?',
    now: 'timestamptz',
  },
} satisfies Statement;

// Compares and sets: only from the job found to hold the key. With a plain = the index by job would be read whole.
const takeOverKeys = {
  name: 'take_over_submission_keys',
  text: `
UPDATE submission_keys k SET job_id = i.job_id, until_time = coalesce(i.until_time, ${until})
FROM ${inputTable({ ...columns, holder_job_id: 'uuid', until_time: 'timestamptz' }, 'i')}
WHERE ${sameKey('k.key_hash', 'i.key_hash')} AND k.job_id IS NOT DISTINCT FROM i.holder_job_id
RETURNING k.key_hash, k.until_time`,
  row: { key_hash: 'bytea', until_time: 'timestamptz?' },
} satisfies Statement;

function spanOf(rule: RuleKey): number | null {
  if (rule.kind === 'UNIQUENESS') return null;
  return rule.kind === 'DEBOUNCE' ? rule.maxWaitMs : rule.periodMs;
}

function rowsOf(claims: readonly KeyClaim[]) {
  return [
    claims.map(({ rule }) => rule.hash),
    claims.map(({ rule }) => kindCodes[rule.kind]),
    claims.map(({ jobId }) => jobId),
    claims.map(({ rule }) => spanOf(rule)),
  ];
}

export async function insertSubmissionKeys(session: Session, claims: readonly KeyClaim[]): Promise<UntilTimes> {
  const rows = await session.run(insertKeys, rowsOf(claims));
  return new Map(rows.map((row) => [nameOf(row.key_hash), row.until_time]));
}

export async function lockSubmissionKeys(session: Session, hashes: readonly Uint8Array[]): Promise<void> {
  await session.run(lockKeys, [hashes]);
}

export async function readSubmissionKeys(
  session: Session,
  hashes: readonly Uint8Array[],
): Promise<Map<string, OwnedKey>> {
  const rows = await session.run(readHolders, [hashes]);
  return new Map(
    rows.map((row) => [
      nameOf(row.key_hash),
      {
        jobId: row.job_id,
        state: row.state === null ? undefined : stateOf(row.state),
        untilUs: row.until_time,
        createTimeUs: row.create_time,
        nowUs: row.now,
      },
    ]),
  );
}

export async function takeOverSubmissionKeys(session: Session, taken: readonly KeyTakeOver[]): Promise<UntilTimes> {
  const rows = await session.run(takeOverKeys, [
    ...rowsOf(taken),
    taken.map(({ holderJobId }) => holderJobId),
    taken.map(({ untilUs }) => untilUs),
  ]);
  return new Map(rows.map((row) => [nameOf(row.key_hash), row.until_time]));
}
