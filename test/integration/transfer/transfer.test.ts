/**
 * Export and import: a used deployment moves from a data folder to PostgreSQL and continues there, with nothing lost.
 */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Client, Code, JobState, Worker } from '@muster-jobs/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../server/store/driver/database.ts';
import { openPglite } from '../../../server/store/driver/pglite.ts';
import { openPostgres } from '../../../server/store/driver/postgres.ts';
import { exportTo, importFrom, type TransferProgress } from '../../../server/transfer.ts';
import { eventually } from '../../support/base/eventually.ts';
import { callJobs, everyByte, type Life, live } from '../../support/base/life.ts';
import { makeScratchFolder, removeFolder, startTestReplica } from '../../support/base/replica.ts';
import { sharedPostgres, type TestDatabases } from '../../support/databases/postgres.ts';
import { digestOf } from '../api/base/store-digest.ts';

let postgres: TestDatabases;
let folder: string;
let life: Life;
let file: string;

const dataFolder = () => join(folder, 'old');

beforeAll(async () => {
  [postgres, folder] = await Promise.all([sharedPostgres(), makeScratchFolder()]);
  life = await live(dataFolder());
  file = join(folder, 'export.jsonl');
}, 300_000);

afterAll(async () => {
  await postgres?.stop();
  await removeFolder(folder);
});

/** The content of a database, except the times of its migrations. */
async function contentsOf(open: Database | Promise<Database>): Promise<Record<string, string>> {
  const database = await open;
  try {
    const { schema_migrations: _applied, ...contents } = await digestOf(database);
    return contents;
  } finally {
    await database.close();
  }
}

const inFolder = (name: string) => contentsOf(openPglite({ dataDir: join(name, 'postgres') }));

describe('an export', () => {
  it('writes everything into a file that only its owner can read, and shows its progress', async () => {
    const seen: TransferProgress[] = [];
    const header = await exportTo(file, { dataFolder: dataFolder() }, (progress) => seen.push(progress));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(header.tables.find(({ name }) => name === 'job_runs')?.rows).toBe(33);
    expect(seen.at(-1)?.rows).toBe(seen.at(-1)?.of);
    expect(seen.map(({ rows }) => rows)).toEqual(seen.map(({ rows }) => rows).sort((a, b) => a - b));
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    expect(JSON.parse(lines[0] ?? '')).toEqual(header);
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ end: true, rows: seen.at(-1)?.of });
    for (const line of lines) JSON.parse(line);
  });
});

describe('an import into PostgreSQL', () => {
  let url: string;

  beforeAll(async () => {
    url = await postgres.createDatabase('empty');
    await importFrom(file, { postgresUrl: url });
  });

  it('has every row of every table, byte for byte', async () => {
    expect(await contentsOf(openPostgres({ url }))).toEqual(await inFolder(dataFolder()));
  });

  it('works as any other deployment: ended jobs exist, open ones continue under a new control plane', async () => {
    const replica = await startTestReplica({ postgresUrl: url, beatMs: 200, leaseMs: 1_500 });
    const client = new Client({ address: replica.grpcAddress });
    const checkpoints: unknown[] = [];
    const worker = new Worker({
      address: replica.grpcAddress,
      name: 'new',
      handlers: {
        idle: (_ctx, input) => ({ done: input }),
        long: (ctx) => {
          checkpoints.push(ctx.lastCheckpoint);
          return 'finished';
        },
      },
      logger: { log: () => {} },
    });
    const running = worker.run();
    try {
      await checkEnded(client);
      for (const [n, job] of life.ready.entries()) expect(await client.result(job)).toEqual({ done: { n } });
      expect(await client.result(life.scheduled)).toEqual({ done: { later: true } });
      // The old worker's session lapses; its attempt is charged to no job, and the next one continues from the
      // checkpoint.
      expect(await client.result(life.running)).toBe('finished');
      expect(checkpoints).toEqual([{ at: 7 }]);
      expect(await client.result(await client.submit('idle', { a: 1 }, { idempotencyKey: 'kept' }))).toEqual({
        done: { a: 1 },
      });
      await checkNew(client, replica.httpAddress);
    } finally {
      await worker.stop();
      await running;
      client.close();
      await replica.stop();
    }
  });

  async function checkEnded(client: Client): Promise<void> {
    expect(await client.result(life.succeeded)).toEqual(everyByte);
    const failed = await client.get(life.failed);
    expect(failed.state).toBe(JobState.FAILED);
    expect(failed.attempts).toHaveLength(2);
    expect((await client.get(life.cancelled)).state).toBe(JobState.CANCELLED);
  }

  /** Existing keys still count, and new rows get new numbers. */
  async function checkNew(client: Client, httpAddress: string): Promise<void> {
    const again = await client.submit('idle', { a: 1 }, { idempotencyKey: 'kept' });
    expect(again).toEqual({ jobId: life.keyed.jobId, existing: true });
    await expect(client.submit('checked', { n: 'no number' })).rejects.toMatchObject({ code: Code.INVALID_ARGUMENT });
    expect(await callJobs(httpAddress, 'ListJobs', { pageSize: 2, pageToken: life.pageToken })).toHaveProperty('jobs');
    expect((await client.applyDefinition({ name: 'idle', description: 'another' })).version).toBe(2);
    await eventually('a job of a lane that was not there', async () => {
      return (await client.wait(await client.submit('idle', {}, { queue: 'fresh' }))).state === JobState.SUCCEEDED;
    });
  }
});

describe('a second move', () => {
  it('gives the same rows again, also from a compressed file', async () => {
    const url = await postgres.createDatabase('empty');
    await importFrom(file, { postgresUrl: url });
    const back = join(folder, 'back.jsonl.gz');
    await exportTo(back, { postgresUrl: url });
    expect(statSync(back).size).toBeLessThan(statSync(file).size / 2);
    await importFrom(back, { dataFolder: join(folder, 'back') });
    expect(await inFolder(join(folder, 'back'))).toEqual(await contentsOf(openPostgres({ url })));
  });
});
