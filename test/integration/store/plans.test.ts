/** The plan of each hot statement: look-ups by index, the same on empty tables and on full ones. */
import { beforeAll, describe, expect, it } from 'vitest';
import { closed, countFailures } from '../../../server/domain/circuit-breaker.ts';
import { decideCancel, decideFail, decideSessionEnd } from '../../../server/domain/decide.ts';
import { decideDue } from '../../../server/domain/decide-due.ts';
import { definitionDefaults } from '../../../server/domain/definition.ts';
import { decideUpdate } from '../../../server/domain/hold.ts';
import { everyJob } from '../../../server/domain/job-filter.ts';
import { stateCodes } from '../../../server/domain/job-state.ts';
import { systemFailure } from '../../../server/domain/payload.ts';
import type { Change } from '../../../server/domain/run.ts';
import type { Statement } from '../../../server/store/database.ts';
import { holdLanesBack } from '../../../server/store/statements/held-lanes.ts';
import { readHoldReasons } from '../../../server/store/statements/hold-reasons.ts';
import { readHeadsOf } from '../../../server/store/statements/lanes.ts';
import { createStore } from '../../../server/store/store.ts';
import { recordStatements } from '../../support/database-taps.ts';
import { pathsOf } from '../../support/plan-paths.ts';
import { emptyTables, type StoreContext, sql, useStore } from '../../support/store-context.ts';
import {
  bytes,
  claimMany,
  claimOf,
  completionOf,
  keyOf,
  makeCall,
  makeDefinition,
  makeJob,
  makeLane,
  openWorker,
  payload,
  submitMany,
} from '../../support/store-fixtures.ts';
import { useOutbox } from '../../support/store-outbox.ts';
import { reviveQueue, useQueues } from '../../support/store-queues.ts';
import { useSchedules } from '../../support/store-schedules.ts';

const policy = definitionDefaults.retryPolicy;
const moment = (nowUs: number) => ({ nowUs, random: 0.5 });
const failure = systemFailure('APPLICATION', 'Oops', 'it broke');
const sampleId = '0198c0de-0000-7000-8000-000000000001';

/** Runs everything once, so that each statement's text is on record. */
async function recordAll(context: StoreContext): Promise<Map<string, Statement>> {
  const { database, statements } = recordStatements(context.database);
  const store = createStore(database);
  const tap = { ...context, database, store };
  const laneId = await makeLane(tap);
  const contentHash = bytes(crypto.randomUUID());
  await store.applyDefinition(makeDefinition('plan'), contentHash, false);
  await store.listDefinitions({ namespace: 'default', afterName: '', limit: 10, showArchived: false });
  await store.archiveDefinition('default', 'plan');
  await store.listOffers('default');
  await store.readOpenVersions('default', 'plan', 2);
  await store.submit([makeCall([makeJob(laneId)], { requestId: crypto.randomUUID(), bodyHash: bytes('b') })]);
  await store.submit([
    makeCall([makeJob(laneId, { idempotencyKey: 'k' })], {
      keys: [{ index: 0, key: crypto.randomUUID(), contentHash: bytes('c'), policy: 'FAIL' }],
      requestId: crypto.randomUUID(),
      bodyHash: bytes('b'),
    }),
  ]);
  await store.submit([
    makeCall([makeJob(laneId, { idempotencyKey: 'k' })], {
      keys: [
        { index: 0, key: crypto.randomUUID(), contentHash: bytes('c'), policy: 'REPLACE', replacedJobId: sampleId },
      ],
    }),
  ]);
  await submitMany(tap, laneId, 10);
  const { sessionId } = await openWorker(tap);
  const [a, b, c, d, e] = (await claimMany(tap, laneId, sessionId, 8)).map(keyOf);
  if (!a || !b || !c || !d || !e) throw new Error('jobs were submitted');
  await store.claimSuspects(claimOf([await makeLane(tap, { suspect: true })], sessionId, 1));
  await store.observe([a, b]);
  await store.readAssigned([c]);
  await store.readHeld(sessionId, true);
  await store.saveProgress([{ ...a, sequence: 1, fraction: 0.5, message: '', checkpoint: payload('c') }]);
  const record = { timeUs: 0, level: 'INFO', message: 'x'.repeat(40_000), fields: {}, truncated: false } as const;
  for (const sequence of [1, 2]) await store.saveLogs([{ ...a, records: [{ ...record, sequence }] }]);
  await store.readLogs({ jobId: a.jobId, attempt: undefined, after: { attempt: 0, sequence: 0 }, limit: 1 });
  await store.complete([completionOf(a)]);
  await store.readUnchecked([a]);
  await store.change({ by: 'attempts', attempts: [b] }, (run, nowUs) =>
    decideFail(run, failure, policy, moment(nowUs)),
  );
  await store.change({ by: 'jobs', namespace: 'default', jobIds: [b.jobId] }, (run, nowUs) =>
    decideCancel(run, '', 1, moment(nowUs)),
  );
  const [waiting] = await submitMany(tap, laneId, 1);
  await store.change(
    { by: 'jobs', namespace: 'default', jobIds: [waiting as string] },
    (run, nowUs) => decideUpdate(run, { priority: 1 }, moment(nowUs)) as Change,
  );
  await store.change({ by: 'session', sessionId, limit: 1 }, (run, nowUs) =>
    decideSessionEnd(run, 'LAPSE', moment(nowUs)),
  );
  await store.change({ by: 'due', limit: 1 }, (run, nowUs) => decideDue(run, policy, moment(nowUs)));
  const breaker = { namespace: 'default', name: 'plan' };
  await store.ensureLane(
    { namespace: 'default', queue: 'q', definition: 'plan', definitionVersion: 1, demands: '', suspect: false },
    'plan',
  );
  const opening = { name: 'plan', failureThreshold: 1, windowMs: 1_000, openDurationMs: -1, types: [] };
  await store.changeBreakers([breaker], (now, nowUs) => countFailures(now, 1, opening, nowUs), true);
  await store.listBreakers('default', '', 10);
  await store.readOpenBreakers();
  await store.readLanesToProbe(breaker);
  await store.probeBreaker(breaker, claimOf([laneId], sessionId, 1), false);
  await store.changeBreakers([breaker], closed);
  await store.alignHeldLanes();
  const [retried] = await submitMany(tap, laneId, 1, { hasRetryBudget: true });
  await sql(
    tap,
    `UPDATE job_runs SET state = 2, due_time = muster_now() - interval '1 day' WHERE job_id = '${retried}'`,
  );
  const retryBudget = { namespace: 'default', definition: 'plan', ratio: 0, minPerMinute: 1 };
  await store.change({ by: 'due', limit: 1 }, (run, nowUs) => {
    const change = decideDue(run, policy, moment(nowUs));
    return change?.kind === 'continue' ? { ...change, retryBudget } : change;
  });
  await store.readEndedJobs('default', [a.jobId]);
  await store.eraseJob({ namespace: 'default', jobId: a.jobId, reason: 'r', auditId: crypto.randomUUID() });
  await store.readClosed([a, b]);
  await store.readJobs([a, b].map(({ jobId }) => ({ namespace: 'default', jobId })));
  await readHoldReasons(database, [{ state: stateCodes.READY, held_back: 1, lane_id: laneId }]);
  await store.findJobs([a.jobId]);
  const query = { namespace: 'default', beforeJobId: undefined, limit: 1, scanLimit: 1 };
  await store.listJobs({ ...query, filter: everyJob });
  await store.listJobs({ ...query, filter: { ...everyJob, states: ['READY', 'FAILED'] } });
  await sql(
    tap,
    `INSERT INTO lanes (namespace, queue, definition, definition_version, demands, suspect)
     SELECT 'many', 'q', 'd', n, '', false FROM generate_series(1, 501) AS n ON CONFLICT DO NOTHING`,
  );
  await store.listJobs({ ...query, namespace: 'many', filter: everyJob });
  await sql(tap, "DELETE FROM lanes WHERE namespace = 'many'");
  await store.readPageTokenKey();
  await store.findEnded([a.jobId]);
  await store.readRevisions([a.jobId]);
  await store.readHeads();
  await readHeadsOf(database, [laneId]);
  await useQueues(store);
  await useSchedules(store);
  await database.transaction((session) => holdLanesBack(session, [laneId], 'breakerOpen', false));
  await reviveQueue(tap);
  await store.nextDueUs();
  await useOutbox(store);
  await store.readLanes([laneId]);
  await store.renewSessions([{ sessionId, pingEcho: 0, draining: false }], 1_000);
  await store.readSessions([sessionId]);
  await store.readLapse();
  await store.listSessions('default', sessionId, 10);
  await store.readWorker('default', sessionId);
  await store.readHeldJobs(sessionId, 10);
  await store.drainSession('default', sessionId);
  await store.closeSessions([sessionId], 'CLOSE');
  await store.endSessions([sessionId]);
  await sql(tap, `INSERT INTO retentions SELECT namespace, definition, 60000 FROM lanes WHERE lane_id = ${laneId}`);
  await store.clearExpired();
  return statements;
}

/** 20,000 jobs in 50 lanes, 500 sessions; a quarter held, a quarter ended, some due. */
async function fillTables(context: StoreContext): Promise<void> {
  const lanes = await Promise.all(Array.from({ length: 50 }, () => makeLane(context)));
  const sessions = await Promise.all(Array.from({ length: 500 }, () => openWorker(context)));
  for (const laneId of lanes) await submitMany(context, laneId, 400);
  for (const [i, laneId] of lanes.entries()) {
    const claimed = await context.store.claim(claimOf([laneId], sessions[i * 7]?.sessionId as string, 200));
    await context.store.complete(claimed.slice(0, 100).map((job) => completionOf(job)));
    await context.store.observe(claimed.slice(100, 150));
  }
}

const runs = 'job_runs by job_runs_pkey';
const ready = 'job_runs by job_runs_ready';
const held = 'job_runs by job_runs_held';
const due = 'job_runs by job_runs_due';
const jobs = 'jobs_day by jobs_day_pkey';
const retries = 'jobs_day by jobs_day_retry_of_idx';
const outcomes = 'job_outcomes_day by job_outcomes_day_pkey';
const unsuccessful = 'job_outcomes_day by job_outcomes_day_state_job_id_idx';
const byLane = 'jobs_day by jobs_day_lane_id_job_id_idx';
const laneKeys = 'lanes by lanes_by_definition';
const attempts = 'job_attempts by job_attempts_pkey';
const checkpoints = 'job_checkpoints by job_checkpoints_pkey';
const logs = 'attempt_logs by attempt_logs_pkey';
const [lanes, queues] = ['lanes by lanes_pkey', 'queues by queues_pkey'];
const idempotency = 'idempotency_keys by idempotency_keys_pkey';
const laneQueues = 'lanes by lanes_by_queue';
const laneCounts = 'lane_counts by lane_counts_pkey';
const unfolded = 'lane_count_changes by Seq Scan'; // a second's worth, and all of it is wanted
const sessions = 'sessions by sessions_pkey';
const notClosed = 'sessions by sessions_not_closed';
const allNotClosed = 'sessions by the whole of sessions_not_closed'; // thousands at most
const definitions = 'job_definitions by job_definitions_pkey';
const archived = 'archived_definitions by archived_definitions_pkey';
const allLanes = 'lanes by the whole of lanes_by_definition'; // as many as there are placements
const budgets = 'retry_budgets by retry_budgets_pkey';
const breakers = 'circuit_breakers by circuit_breakers_pkey';
const openBreaker = 'circuit_breakers by circuit_breakers_not_closed';
const openBreakers = 'circuit_breakers by the whole of circuit_breakers_not_closed'; // few are open
const breakerLanes = 'lanes by lanes_by_breaker';
const allBreakerLanes = 'lanes by the whole of lanes_by_breaker'; // as many as there are placements
const retentions = 'retentions by retentions_pkey';
const jobsByLane = 'jobs_day by jobs_day_lane_id_job_id_idx';
const [outbox, turn] = ['outbox by outbox_pkey', 'outbox_turns by outbox_turns_pkey'];
const [schedules, scheduleIds] = ['schedules by schedules_by_name', 'schedules by schedules_pkey'];
const scheduleRuns = 'schedule_runs by schedule_runs_pkey';
const unsettledRuns = 'schedule_runs by schedule_runs_unsettled';
const oldest = 'outbox by the whole of outbox_pkey'; // of which it reads the first 256 rows
const sliceOf = (table: string) => `${table} by Tid Range Scan`;

const pinned: Record<string, readonly string[]> = {
  read_definition: [archived, definitions],
  list_definitions: [archived, definitions],
  archive_definition: [definitions],
  restore_definition: [archived],
  list_offers: [notClosed],
  read_open_versions: [runs, ready, 'jobs_day by jobs_day_lane_id_job_id_idx', 'lanes by lanes_by_definition'],
  insert_jobs: [lanes, sessions],
  insert_idempotency_keys: [],
  take_over_idempotency_keys: [idempotency],
  read_idempotency_keys: [idempotency],
  read_request_ids: ['request_ids by request_ids_pkey'],
  claim_jobs: [checkpoints, runs, ready, jobs, lanes, sessions],
  hold_lanes_back: [lanes],
  lock_sessions_for_suspects: [sessions],
  find_sessions_without_suspect: [held],
  complete_attempts: [runs, sessions],
  read_unchecked: [runs],
  delete_checkpoints: [checkpoints],
  lock_attempts: [runs, jobs, sessions],
  lock_jobs: [runs, jobs, lanes],
  lock_session_runs: [held, jobs],
  lock_due_runs: [due, jobs],
  update_runs: [runs],
  update_records: [runs, jobs],
  lock_record: [jobs, lanes],
  read_end: [outcomes, runs],
  count_first_attempts: [lanes],
  make_budget_minute: [],
  lock_budget_minute: [budgets],
  read_budget_minutes: [budgets],
  spend_retry_budget: [],
  make_breakers: [],
  lock_breakers: [breakers],
  update_breakers: [breakers],
  read_breaker_lanes: [breakerLanes],
  list_breakers: [breakers],
  read_open_breakers: [openBreakers, attempts, outcomes, runs, jobs],
  read_lanes_to_probe: [ready, breakerLanes],
  lock_breaker_to_probe: [openBreaker],
  read_misheld_lanes: [openBreaker, allBreakerLanes],
  erase_job: [logs, idempotency, attempts, checkpoints, outcomes, jobs, 'submission_keys by submission_keys_by_job'],
  read_ended_jobs: [outcomes, jobs, retries, lanes],
  end_runs: [checkpoints, runs],
  insert_attempts: [],
  observe_attempts: [runs],
  save_progress: [runs, sessions],
  lock_logging_runs: [runs, sessions],
  read_newest_logs: [logs],
  append_logs: [],
  trim_logs: [logs],
  read_logs: [logs],
  read_held_runs: [held],
  read_assigned_runs: [checkpoints, runs, jobs],
  read_closed_attempts: [attempts, outcomes],
  read_jobs: [outcomes, runs, jobs, lanes, sessions],
  read_hold_reasons: [openBreaker, lanes, queues],
  read_attempts: [attempts, sessions],
  find_jobs: [jobs],
  list_jobs_by_state: [outcomes, unsuccessful, runs, jobs, lanes],
  list_jobs_by_lane: [outcomes, runs, byLane, jobs, lanes],
  list_jobs_of_all: [outcomes, runs, jobs, lanes],
  find_lanes: [laneKeys],
  read_page_token_key: ['deployment_keys by deployment_keys_pkey'],
  find_ended_jobs: [outcomes],
  read_revisions: [outcomes, runs],
  read_lane_heads: [ready, 'job_runs by the whole of job_runs_ready', lanes], // of which it reads the first row
  read_heads_of_lanes: [ready],
  insert_lane: [openBreaker, queues],
  read_queue: [queues],
  list_queues: [queues],
  find_deleted_queues: [jobsByLane, laneQueues, queues],
  revive_queues: [queues],
  read_queue_counts: [unfolded, laneCounts, laneQueues, lanes],
  read_queue_lanes: [laneQueues],
  lock_queue: [queues],
  pause_queue: [queues],
  resume_queue: [queues],
  describe_queue: [queues],
  delete_queue: [laneQueues, queues],
  read_schedule: [schedules],
  lock_schedule: [schedules],
  list_schedules: [schedules],
  insert_schedule: [],
  update_schedule: [scheduleIds],
  pause_schedule: [scheduleIds],
  resume_schedule: [scheduleIds],
  wake_schedule: [scheduleIds],
  delete_schedule: [schedules],
  delete_schedule_runs: [scheduleRuns],
  read_next_look: ['schedules by the whole of schedules_due'], // of which it reads the first row
  list_schedule_runs: [scheduleRuns],
  read_schedule_run: [scheduleRuns],
  count_pending_schedule_runs: [unsettledRuns],
  insert_asked_schedule_runs: [],
  lock_due_schedules: ['schedules by schedules_due'],
  read_unsettled_schedule_runs: [outcomes, runs, unsettledRuns],
  write_schedule_runs: [],
  settle_ended_schedule_runs: [scheduleRuns],
  forget_old_schedule_runs: [scheduleRuns],
  write_schedule: [scheduleIds],
  settle_schedule_runs: [scheduleRuns, scheduleIds],
  take_outbox_rows: [oldest, turn],
  finish_outbox_rows: [outbox, turn],
  drop_old_outbox_rows: [outbox, oldest],
  fold_lane_counts: [unfolded, 'lane_count_changes by Tid Scan'],
  read_next_due: ['job_runs by the whole of job_runs_due'], // likewise
  read_lanes: [lanes],
  renew_sessions: [sessions],
  read_sessions: [sessions],
  close_sessions: [sessions],
  end_sessions: [held, sessions],
  read_lapsed_sessions: [allNotClosed],
  list_sessions: [held, notClosed],
  read_worker: [held, sessions],
  read_held_jobs: [held, lanes],
  drain_session: [sessions],
  read_retention_bounds: [allLanes, retentions],
  read_short_lanes: [lanes, retentions],
  expire_lane_jobs: [logs, attempts, checkpoints, outcomes, jobs, jobsByLane].sort(),
  expire_default_jobs: [logs, attempts, checkpoints, outcomes, jobs, lanes, retentions],
  clear_request_ids: [sliceOf('request_ids')],
  clear_idempotency_keys: [sliceOf('idempotency_keys'), runs],
  clear_job_checkpoints: [sliceOf('job_checkpoints'), runs],
  clear_retry_budgets: [sliceOf('retry_budgets')],
  clear_sessions: [held, sliceOf('sessions')],
  clear_job_attempts: [sliceOf('job_attempts'), jobs],
  clear_attempt_logs: [sliceOf('attempt_logs'), jobs],
  clear_job_outcomes_default: [sliceOf('job_outcomes_day'), jobs],
};

describe.each(['PostgreSQL 16', 'PostgreSQL 18', 'PGlite'] as const)('plans on %s', (kind) => {
  const context = useStore(kind);
  let statements: Map<string, Statement>;

  beforeAll(async () => {
    statements = await recordAll(context);
  });

  async function plans(): Promise<Record<string, string[]>> {
    const found: Record<string, string[]> = {};
    for (const name of Object.keys(pinned)) {
      const statement = statements.get(name);
      if (!statement) throw new Error(`${name} was never run`);
      found[name] = await pathsOf(context, statement);
    }
    return found;
  }

  it('are look-ups by index before anything is known of the tables', async () => {
    await emptyTables(context);
    expect(await plans()).toEqual(pinned);
  });

  it('are the same when the tables are known to be empty', async () => {
    await sql(context, 'VACUUM ANALYZE');
    expect(await plans()).toEqual(pinned);
  });

  it('are the same when the tables hold a few rows', async () => {
    await recordAll(context);
    await sql(context, 'VACUUM ANALYZE');
    expect(await plans()).toEqual(pinned);
  });

  it('are the same when the tables are full', async () => {
    await fillTables(context);
    expect(await plans()).toEqual(pinned);
    await sql(context, 'VACUUM ANALYZE');
    expect(await plans()).toEqual(pinned);
  });

  it('are the same when the tables were full and hold next to nothing', async () => {
    for (const [table, key] of [
      ['job_runs', 'job_id'],
      ['sessions', 'session_id'],
    ]) {
      await sql(
        context,
        `DELETE FROM ${table} WHERE ${key} <> (SELECT ${key} FROM ${table} ORDER BY ${key} DESC LIMIT 1)`,
      );
    }
    await sql(context, 'VACUUM ANALYZE');
    expect(await plans()).toEqual(pinned);
  });
});
