/**
 * A long run on the embedded database leaves files of bounded size.
 *
 * By default 100,000 jobs run, with maintenance ten times as often and without its share of time, so that as many
 * rounds of it happen. MUSTER_PGLITE_JOBS=1000000 runs a million with the product's settings, in one to two minutes.
 */

import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Database } from '../../../server/store/driver/database.ts';
import { openPglite } from '../../../server/store/driver/pglite.ts';
import type { MaintenanceTask } from '../../../server/store/driver/pglite-maintenance.ts';
import { migrate } from '../../../server/store/migrate.ts';
import { createStore } from '../../support/store/create-store.ts';
import { type StoreContext, sql } from '../../support/store/store-context.ts';
import { only } from '../../support/store/store-fixtures.ts';
import { runJobs } from '../../support/store/store-load.ts';

const MIB = 1 << 20;
const JOBS = Number(process.env.MUSTER_PGLITE_JOBS ?? 100_000);
const scale = Math.min(1, JOBS / 1_000_000);
const settings = {
  vacuumJobs: 20_000 * scale,
  vacuumShare: scale < 1 ? 1 : 0.1,
  checkpointBytes: Math.max(32, 256 * scale) * MIB,
};
/** A job leaves about 400 bytes of dead rows and index entries: twice that, plus the minimum size of the files. */
const RUNS_BOUND = settings.vacuumJobs * 800 + 2 * MIB;
/** The log that is kept for reuse, and the log written between two checks of its size. */
const LOG_BOUND = settings.checkpointBytes * 1.25 + 48 * MIB;

function bytesIn(folder: string): number {
  const files = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
  return files.reduce((sum, file) => sum + statSync(join(folder, file.name)).size, 0);
}

it(`${JOBS.toLocaleString('en')} jobs leave job_runs and pg_wal small`, { timeout: 600_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'muster-million-'));
  const tasks: MaintenanceTask[] = [];
  const dataDir = join(folder, 'postgres');
  const database: Database = await openPglite({
    dataDir,
    maintenance: { ...settings, onTask: (task) => tasks.push(task) },
  });
  try {
    await migrate(database);
    const context = { kind: 'PGlite', database, store: createStore(database) } as StoreContext;
    await context.store.ensurePartitions();
    let largestRuns = 0;
    let largestLog = 0;
    const start = performance.now();
    await runJobs(context, JOBS, async () => {
      largestLog = Math.max(largestLog, bytesIn(join(dataDir, 'pg_wal')));
      const size = only(await sql(context, `SELECT pg_total_relation_size('job_runs') AS bytes`));
      largestRuns = Math.max(largestRuns, size.bytes);
    });
    const rate = Math.round((JOBS / (performance.now() - start)) * 1000);
    console.log({ rate, largestRuns, RUNS_BOUND, largestLog, LOG_BOUND, tasks: tasks.length });
    expect(largestRuns).toBeLessThan(RUNS_BOUND);
    expect(largestLog).toBeLessThan(LOG_BOUND);
    expect(tasks.filter((task) => task.error)).toEqual([]);
    expect(tasks.filter((task) => task.sql === 'CHECKPOINT').length).toBeGreaterThan(1);
    expect(tasks.filter((task) => task.sql.includes('job_runs')).length).toBeGreaterThanOrEqual(40);
  } finally {
    await database.close();
    rmSync(folder, { recursive: true });
  }
});
