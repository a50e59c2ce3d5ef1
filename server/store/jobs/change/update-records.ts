/** Writes an update's changes to the records of jobs, and the expiry to their runs. */
import type { Continue, RecordChange } from '../../../domain/jobs/run.ts';
import { inputTable } from '../../base/input-table.ts';
import { sameKey } from '../../base/same-key.ts';
import type { Session, Statement } from '../../driver/database.ts';

const columns = {
  job_id: 'uuid',
  seen_priority: 'smallint',
  priority: 'smallint',
  run_time: 'timestamptz',
  expire_time: 'timestamptz',
};

// The statement that locked the run may have read the record before another update of it was committed: so the values
// read are compared.
const statement = {
  name: 'update_records',
  text: `
WITH i AS MATERIALIZED (SELECT * FROM ${inputTable(columns, 'i')}),
run AS (
  UPDATE job_runs r SET expire_time = i.expire_time FROM i WHERE ${sameKey('r.job_id', 'i.job_id')}
)
UPDATE jobs j
SET priority = i.priority, run_time = coalesce(i.run_time, j.run_time), expire_time = i.expire_time
FROM i WHERE ${sameKey('j.job_id', 'i.job_id')} AND j.priority IS NOT DISTINCT FROM i.seen_priority
RETURNING j.job_id`,
  row: { job_id: 'uuid' },
} satisfies Statement;

/** Throws an error that is retried like a serialization failure if a record has changed since it was read. */
export async function updateRecords(session: Session, changes: readonly Continue[]): Promise<void> {
  if (changes.length === 0) return;
  const record = (change: Continue) => change.record as RecordChange;
  const rows = await session.run(statement, [
    changes.map((c) => c.run.jobId),
    changes.map((c) => c.run.priority),
    changes.map((c) => record(c).priority),
    changes.map((c) => record(c).runTimeUs),
    changes.map((c) => record(c).expireTimeUs),
  ]);
  if (rows.length < changes.length)
    throw Object.assign(new Error('a record has changed since it was read'), { code: '40001' });
}
