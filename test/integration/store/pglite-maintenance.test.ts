/** Maintenance of the embedded database: when it runs, in which order, and that an idle database gets none. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { decideCancel } from '../../../server/domain/jobs/decide.ts';
import type { Database } from '../../../server/store/driver/database.ts';
import { openPglite } from '../../../server/store/driver/pglite.ts';
import {
  type MaintenanceOptions,
  type MaintenanceTask,
  PgliteMaintenance,
} from '../../../server/store/driver/pglite-maintenance.ts';
import { eventually } from '../../support/base/eventually.ts';
import { usePgliteFolders } from '../../support/databases/pglite-folders.ts';
import { createStore } from '../../support/store/create-store.ts';
import { moveClock } from '../../support/store/store-clock.ts';
import { type StoreContext, sql } from '../../support/store/store-context.ts';
import { makeCall, makeJob, makeLane, only, payload, submitMany } from '../../support/store/store-fixtures.ts';
import { runJobs } from '../../support/store/store-load.ts';

const never = {
  vacuumJobs: Number.POSITIVE_INFINITY,
  vacuumWorkMs: Number.POSITIVE_INFINITY,
  vacuumShare: 1,
  vacuumDeleted: Number.POSITIVE_INFINITY,
  checkpointBytes: Number.POSITIVE_INFINITY,
};
const hotTables = [
  ...['job_runs', 'sessions', 'job_checkpoints', 'soft_deadlines', 'lane_count_changes'],
  ...['lane_counts', 'outbox', 'fairness_keys', 'rate_buckets', 'reservations', 'workflow_runs', 'workflow_steps'],
  ...['step_compensations', 'step_cache', 'job_inbox'],
  ...['batches', 'batch_counts'],
  ...['signal_waits', 'sent_signals', 'trigger_causes', 'job_dependencies'],
];
const round = hotTables.map((table) => `VACUUM (ANALYZE) muster.${table}`);
const folders = usePgliteFolders();
const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  vi.restoreAllMocks();
  for (const close of closers.splice(0)) await close();
});

async function open(options: MaintenanceOptions): Promise<{ context: StoreContext; tasks: MaintenanceTask[] }> {
  const tasks: MaintenanceTask[] = [];
  const maintenance = { ...never, ...options, onTask: (task: MaintenanceTask) => tasks.push(task) };
  const database: Database = await openPglite({ dataDir: await folders.copy(), maintenance });
  closers.push(() => database.close());
  const context = { kind: 'PGlite', database, store: createStore(database) } as StoreContext;
  return { context, tasks };
}

const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, 10).replaceAll('-', '');
const namesOf = (tasks: readonly MaintenanceTask[]) => tasks.map((task) => task.sql);
const sizeOfRuns = async (context: StoreContext) =>
  only(await sql(context, `SELECT pg_table_size('job_runs') AS bytes`)).bytes as number;

describe('VACUUM', () => {
  it('runs after a number of completed jobs, and keeps the table small', async () => {
    const { context, tasks } = await open({ vacuumJobs: 2_000 });
    await runJobs(context, 12_000);
    await eventually('the last round is done', () => tasks.length >= 6 * round.length);
    expect(namesOf(tasks)).toEqual(Array.from({ length: 6 }, () => round).flat());
    expect(tasks.filter((task) => task.error)).toEqual([]);
    const small = await sizeOfRuns(context);
    const { context: other } = await open({});
    await runJobs(other, 12_000);
    expect(small).toBeLessThan((await sizeOfRuns(other)) / 2);
  });

  it('counts jobs that ended in other ways, too', async () => {
    const { context, tasks } = await open({ vacuumJobs: 300 });
    const jobIds = await submitMany(context, await makeLane(context), 300);
    const cancel = (ids: readonly string[]) =>
      context.store.change({ by: 'jobs', namespace: 'default', jobIds: ids }, (run, nowUs) =>
        decideCancel(run, '', 1, { nowUs, random: 0 }),
      );
    await cancel(jobIds.slice(0, 299));
    await context.store.nowUs();
    expect(tasks).toEqual([]);
    await cancel(jobIds.slice(299));
    await eventually('a round is done', () => tasks.length === round.length);
    expect(namesOf(tasks)).toEqual(round);
  });

  it('runs after a number of changes of any kind', async () => {
    const { context, tasks } = await open({ vacuumWorkMs: 200 });
    const untilRounds = async (rounds: number) => {
      while (tasks.length < rounds * round.length) await sql(context, 'SELECT count(*) FROM generate_series(1, 20000)');
    };
    await untilRounds(1);
    const start = performance.now();
    await untilRounds(2);
    expect(performance.now() - start).toBeGreaterThan(150);
    expect(namesOf(tasks)).toEqual([...round, ...round]);
  });

  it('runs less often if it takes long: it has a bounded share of the time', async () => {
    let nowMs = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
    const tasks: MaintenanceTask[] = [];
    const query = async () => {
      nowMs += 100;
      return undefined;
    };
    const maintenance = new PgliteMaintenance(
      { enqueue: (work) => work(), query },
      { ...never, vacuumJobs: 10, vacuumShare: 0.2, onTask: (task) => tasks.push(task) },
    );
    const work = async (ms: number) => {
      maintenance.noteEnded(10);
      maintenance.noteWork(ms);
      await new Promise(setImmediate);
      return tasks.length / round.length;
    };
    expect(await work(1)).toBe(1);
    const roundMs = tasks.reduce((sum, task) => sum + task.ms, 0);
    expect(roundMs).toBeGreaterThan(0);
    expect(await work(4 * roundMs - 1)).toBe(1);
    expect(await work(1)).toBe(2);
  });

  it('never runs within a transaction', async () => {
    const { context, tasks } = await open({ vacuumJobs: 100, vacuumWorkMs: 10, checkpointBytes: 1 << 20 });
    const laneId = await makeLane(context);
    for (let i = 0; i < 15; i++) {
      const jobIds = await submitMany(context, laneId, 200);
      const halves = [jobIds.slice(0, 100), jobIds.slice(100)];
      await Promise.all(
        halves.map((ids) =>
          context.store.change({ by: 'jobs', namespace: 'default', jobIds: ids }, (run, nowUs) =>
            decideCancel(run, '', 1, { nowUs, random: 0 }),
          ),
        ),
      );
    }
    expect(tasks.length).toBeGreaterThan(10);
    expect(tasks.filter((task) => task.error)).toEqual([]);
  });
});

describe('the space of jobs deleted by retention', () => {
  it('is reused: the tables do not grow with each round of jobs', async () => {
    const HOUR_MS = 3_600_000;
    const DAY_MS = 24 * HOUR_MS;
    // Starts in the first hour of tomorrow, because all rounds have to be on one day.
    const startMs = DAY_MS - (Date.now() % DAY_MS) + HOUR_MS;
    const sizeAfterRounds = async (options: MaintenanceOptions) => {
      const { context, tasks } = await open(options);
      await sql(context, `INSERT INTO retentions VALUES ('default', '', ${HOUR_MS})`);
      for (let round = 0; round < 6; round++) {
        await moveClock(context, startMs + round * 2 * HOUR_MS);
        await runJobs(context, 4_000, undefined, Date.now() + startMs);
        await moveClock(context, startMs + (round + 1) * 2 * HOUR_MS);
        expect(await context.store.clearExpired()).toMatchObject({ jobs: 4_000 });
      }
      expect(only(await sql(context, 'SELECT count(*)::int AS jobs FROM jobs')).jobs).toBe(0);
      const sizes = `SELECT sum(pg_total_relation_size(oid))::float8 AS bytes FROM pg_class
        WHERE relkind = 'r' AND (relname LIKE 'jobs\\_%' OR relname LIKE 'job\\_outcomes\\_%')`;
      return { bytes: only(await sql(context, sizes)).bytes as number, tasks };
    };
    const { bytes, tasks } = await sizeAfterRounds({ vacuumDeleted: 3_000 });
    expect(new Set(namesOf(tasks))).toEqual(
      new Set(['jobs', 'job_outcomes'].map((table) => `VACUUM muster.${table}_${dayOf(Date.now() + startMs)}`)),
    );
    expect(tasks.filter((task) => task.error)).toEqual([]);
    expect(bytes).toBeLessThan((await sizeAfterRounds({})).bytes / 3);
  });
});

describe('CHECKPOINT', () => {
  it('runs after an amount of log, also if no job ends, and at the close', async () => {
    const { context, tasks } = await open({ checkpointBytes: 8 << 20 });
    const laneId = await makeLane(context);
    const input = payload('x'.repeat(400_000));
    const readLog = async () =>
      only(
        await sql(
          context,
          'SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), redo_lsn)::float8 AS bytes FROM pg_control_checkpoint()',
        ),
      ).bytes as number;
    // Random bytes, because a repeated letter is compressed in the table and in the log.
    const noise = () => Buffer.from(crypto.getRandomValues(new Uint8Array(60_000)));
    while (tasks.length < 2) {
      await context.store.submit([
        makeCall(Array.from({ length: 20 }, () => makeJob(laneId, { input: { ...input, data: noise() } }))),
      ]);
    }
    expect(namesOf(tasks)).toEqual(['CHECKPOINT', 'CHECKPOINT']);
    expect(await readLog()).toBeLessThan(8 << 20);
    await context.database.close();
    expect(namesOf(tasks)).toEqual(['CHECKPOINT', 'CHECKPOINT', 'CHECKPOINT']);
  });
});

describe('an idle database', () => {
  it('gets no maintenance: there is no timer, only work triggers it', async () => {
    const { context, tasks } = await open({ vacuumJobs: 1_000, vacuumWorkMs: 500, checkpointBytes: 1 << 20 });
    const spies = [vi.spyOn(globalThis, 'setTimeout'), vi.spyOn(globalThis, 'setInterval')];
    await runJobs(context, 4_000);
    await context.store.nowUs();
    for (const spy of spies) expect(spy).not.toHaveBeenCalled();
    vi.restoreAllMocks();
    expect(tasks.length).toBeGreaterThanOrEqual(round.length);
  });
});

describe('a maintenance task that fails', () => {
  it('is reported, fails nothing else, and is due again', async () => {
    const tasks: MaintenanceTask[] = [];
    const query = () => Promise.reject(new Error('disk full'));
    const enqueue = (work: () => Promise<void>) => work();
    const maintenance = new PgliteMaintenance(
      { enqueue, query },
      { ...never, vacuumJobs: 10, onTask: (task) => tasks.push(task) },
    );
    for (let i = 0; i < 2; i++) {
      maintenance.noteEnded(10);
      maintenance.noteWork(1);
      await eventually('the round is over', () => tasks.length === round.length * (i + 1));
    }
    expect(namesOf(tasks)).toEqual([...round, ...round]);
    for (const task of tasks) expect(String(task.error)).toContain('disk full');
  });
});
