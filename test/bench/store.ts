/** Benchmark of statements: rows per second of each hot statement, alone, on PostgreSQL and PGlite. See `--help`. */
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import type { NewJob } from '../../server/engine/ports/submissions.ts';
import { claimJobs } from '../../server/store/dispatch/claim-jobs.ts';
import type { Database } from '../../server/store/driver/database.ts';
import { openPglite } from '../../server/store/driver/pglite.ts';
import { openPostgres } from '../../server/store/driver/postgres.ts';
import { insertJobs } from '../../server/store/jobs/submit/insert-jobs.ts';
import { migrate } from '../../server/store/migrate.ts';
import { writeCompletions } from '../../server/store/sessions/complete-attempts.ts';
import { startPostgres } from '../support/databases/postgres.ts';

const help = `Rows a second of each hot statement, alone, in batches of 100, 500 and 1,000, and the time of one row.

  npm run bench:store                  50,000 rows for each, on PostgreSQL and PGlite; half a minute
  npm run bench:store -- --rows 5000   fewer
`;

const { values: options } = parseArgs({
  options: { rows: { type: 'string', default: '50000' }, help: { type: 'boolean', default: false } },
});
if (options.help) {
  console.log(help);
  process.exit();
}
const rows = Number(options.rows);
if (!(rows >= 1)) throw new Error(`--rows is ${options.rows}; it must be a number from 1`);
const batches = [100, 500, 1000];
const input = {
  data: new TextEncoder().encode(JSON.stringify({ from: 0, to: 100, text: 'x'.repeat(60) })),
  contentType: 'application/json',
};

function uuid7(n: number): string {
  const hex = (Date.now() * 4096 + n).toString(16).padStart(15, '0');
  const time = Date.now().toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex.slice(-3)}-8${randomUUID().slice(20)}`;
}

async function store(database: Database, jobs: readonly NewJob[]): Promise<void> {
  await insertJobs(database, [{ call: { namespace: 'default', jobs, keys: [] }, jobs, jobIds: [], existing: [] }], {});
}

function chunks(size: number): number[][] {
  return Array.from({ length: Math.ceil(rows / size) }, (_, i) =>
    Array.from({ length: Math.min(size, rows - i * size) }, (_, k) => i * size + k),
  );
}

/** Runs the work for each chunk, two at a time. Returns rows per second. */
async function rate<T>(items: readonly T[], work: (item: T) => Promise<number>): Promise<number> {
  const queue = items.slice();
  let done = 0;
  const start = performance.now();
  const lane = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) done += await work(item);
  };
  await Promise.all([lane(), lane()]);
  return Math.round((done / (performance.now() - start)) * 1000);
}

async function bench(name: string, database: Database): Promise<void> {
  await migrate(database);
  const sessionId = randomUUID();
  await database.script(`INSERT INTO muster.lanes (namespace, queue, definition, definition_version, demands, suspect)
    VALUES ('default', 'default', 'bench', 1, '', false)`);
  await database.script(`INSERT INTO muster.sessions (session_id, namespace, worker_name, state, lease_until, beat_time, open_time, slots, handlers, labels, resources, sdk)
    VALUES ('${sessionId}', 'default', 'bench', 1, now() + interval '1 day', now(), now(), 1, '[]', '{}', '{}', '{}')`);
  for (const size of batches) {
    const parts = chunks(size);
    const insert = await rate(parts, async (part) => {
      await store(
        database,
        part.map((n) => ({
          jobId: uuid7(n),
          laneId: 1,
          state: 'READY',
          rank: Date.now() * 1000,
          priority: 0,
          input,
          runTimeoutMs: 60_000,
        })),
      );
      return part.length;
    });
    const held: { jobId: string; attempt: number }[] = [];
    const claim = await rate(parts, async (part) => {
      const permits = part.map(() => ({ sessionId, creditId: 1, prefetch: false }));
      const { jobs } = await claimJobs(database, { permits, lanes: [{ laneId: 1, cursor: 0 }], maxBytes: 8 << 20 });
      held.push(...jobs);
      return jobs.length;
    });
    const ends = Array.from({ length: Math.ceil(held.length / size) }, (_, i) => held.slice(i * size, i * size + size));
    const complete = await rate(
      ends,
      async (part) =>
        (
          await writeCompletions(
            database,
            part.map((job) => ({ ...job, sessionId, result: input })),
            false,
          )
        ).completed.length,
    );
    const single: number[][] = [];
    for (let i = 0; i < 200; i++) {
      const start = performance.now();
      await store(database, [
        {
          jobId: uuid7(i),
          laneId: 1,
          state: 'READY',
          rank: Date.now() * 1000,
          priority: 0,
          input,
          runTimeoutMs: 60_000,
        },
      ]);
      const inserted = performance.now();
      const {
        jobs: [job],
      } = await claimJobs(database, {
        permits: [{ sessionId, creditId: 1, prefetch: false }],
        lanes: [{ laneId: 1, cursor: 0 }],
        maxBytes: 8 << 20,
      });
      const claimed = performance.now();
      if (!job) throw new Error('the claim of one found no job');
      await writeCompletions(database, [{ ...job, sessionId, result: input }], false);
      single.push([inserted - start, claimed - inserted, performance.now() - claimed]);
    }
    const median = (k: number) =>
      single
        .map((times) => times[k] as number)
        .sort((a, b) => a - b)[100]
        ?.toFixed(2);
    const whole = Math.round(1 / (1 / insert + 1 / claim + 1 / complete));
    console.log(
      `${name.padEnd(12)} batch ${String(size).padStart(4)}: insert ${insert}/s  claim ${claim}/s  complete ${complete}/s  all three ${whole}/s   one row: ${median(0)} / ${median(1)} / ${median(2)} ms`,
    );
  }
}

const server = await startPostgres();
try {
  const postgres = openPostgres({ url: await server.createDatabase() });
  await bench('PostgreSQL', postgres);
  await postgres.close();
} finally {
  await server.stop();
}
const pglite = await openPglite({ dataDir: 'memory://' });
await bench('PGlite', pglite);
await pglite.close();
