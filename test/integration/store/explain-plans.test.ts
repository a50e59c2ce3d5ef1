/**
 * Plans of the explanation statements: index look-ups, however full the tables are. The queue position reads no table.
 */

import { beforeAll, describe, expect, it } from 'vitest';
import type { Statement } from '../../../server/store/driver/database.ts';
import { recordStatements } from '../../support/databases/database-taps.ts';
import { storeKinds } from '../../support/databases/databases.ts';
import { nodesOfPlan, pathsOf } from '../../support/databases/plan-paths.ts';
import { createStore } from '../../support/store/create-store.ts';
import { emptyTables, type StoreContext, sql, useStore } from '../../support/store/store-context.ts';
import { claimMany, makeLane, openWorker, submitMany } from '../../support/store/store-fixtures.ts';
import { fillTables } from '../../support/store/store-load.ts';

const noId = '00000000-0000-0000-0000-000000000000';

/** Runs each statement once, so that its text is recorded. */
async function recordAll(context: StoreContext): Promise<Map<string, Statement>> {
  const { database, statements } = recordStatements(context.database);
  const store = createStore(database);
  const tap = { ...context, database, store };
  const laneId = await makeLane(tap, { queue: 'line' });
  const [jobId = ''] = await submitMany(tap, laneId, 3, { limitId: crypto.randomUUID() });
  const { sessionId } = await openWorker(tap);
  await claimMany(tap, laneId, sessionId, 1);
  const { explain } = store;
  await explain.readRun(jobId);
  await explain.readQueueLanes({ namespace: 'default', name: 'line' }, laneId, 10);
  await explain.countBefore({ jobId, laneIds: [laneId], ofKey: true }, 10);
  await explain.readFirst({ jobId, laneIds: [laneId], ofKey: true });
  const names = { namespace: 'default', queue: 'line', definition: 'd' };
  const query = { ...names, queueBucketId: noId, definitionBucketId: noId, limitId: noId };
  await explain.readLimits(query);
  for (const reason of ['KEY_LIMIT', 'DEFINITION_LIMIT', 'QUEUE_LIMIT'] as const)
    await explain.readLimitBlockers(query, reason);
  await explain.readSuspects([sessionId], jobId);
  await explain.readWaitingLanes(10);
  await store.queues.foldCounts();
  return statements;
}

const runs = 'job_runs by job_runs_pkey';
const held = 'job_runs by job_runs_held';
const marked = 'job_runs by job_runs_marked';
const heldByLimit = 'job_runs by job_runs_held_by_limit';
const lanes = 'lanes by lanes_pkey';
const sessions = 'sessions by sessions_pkey';
const unfolded = 'lane_count_changes by Seq Scan'; // one second of changes, all of which are needed
const line = ['job_runs by job_runs_ready', marked, runs];

const pinned: Record<string, readonly string[]> = {
  read_explained_run: [
    'circuit_breakers by circuit_breakers_not_closed',
    'job_attempts by job_attempts_pkey',
    runs,
    lanes,
    'queues by queues_pkey',
    sessions,
  ],
  read_lanes_of_line: [unfolded, 'lane_counts by lane_counts_pkey', 'lanes by lanes_by_queue'],
  count_before_in_line: [...line].sort(),
  read_first_in_line: [...line, 'jobs_day by jobs_day_pkey'].sort(),
  read_key_use: [heldByLimit, 'rate_buckets by rate_buckets_pkey'],
  read_key_holders: [heldByLimit, sessions],
  read_limit_holders: [
    held,
    'lanes by lanes_by_definition',
    'lanes by lanes_by_queue',
    'sessions by sessions_not_closed',
    sessions,
  ],
  read_suspects_of_sessions: [held, sessions],
  read_backlog_lanes: [unfolded, 'lane_counts by lane_counts_pkey', lanes], // all of it: one row per lane
};

describe.each(storeKinds)('plans of explanations on %s', (kind) => {
  const context = useStore(kind);
  let statements: Map<string, Statement>;

  beforeAll(async () => {
    statements = await recordAll(context);
  });

  async function plans(): Promise<Record<string, string[]>> {
    const found: Record<string, string[]> = {};
    for (const name of Object.keys(pinned)) found[name] = await pathsOf(context, statements.get(name) as Statement);
    return found;
  }

  it.each([
    ['before the tables are analysed', async () => void (await emptyTables(context))],
    ['when they are analysed as empty', async () => void (await sql(context, 'VACUUM ANALYZE'))],
    ['when they hold a few rows', async () => void (await recordAll(context))],
    ['when those rows are analysed', async () => void (await sql(context, 'VACUUM ANALYZE'))],
    ['when they are full', async () => void (await fillTables(context))],
    ['when the filling is analysed', async () => void (await sql(context, 'VACUUM ANALYZE'))],
  ])('use index look-ups %s', async (_, prepare) => {
    await prepare();
    expect(await plans()).toEqual(pinned);
    const nodes = await nodesOfPlan(context, statements.get('count_before_in_line') as Statement);
    const ofLine = nodes.filter((node) => node['Index Name'] === 'job_runs_ready');
    expect(ofLine.map((node) => node['Node Type'])).toEqual(['Index Only Scan']);
  });
});
