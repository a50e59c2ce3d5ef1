/** SIGKILL of a process with an embedded database: nothing acknowledged is lost, and it starts again. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Database } from '../../../server/store/driver/database.ts';
import { openPglite } from '../../../server/store/driver/pglite.ts';
import { PGLITE_MAJOR } from '../../../server/store/driver/pglite-folder.ts';
import { migrate } from '../../../server/store/migrate.ts';
import { Prng } from '../../../server/tools/simulate/prng.ts';
import { eventually } from '../../support/base/eventually.ts';
import { usePgliteFolders } from '../../support/databases/pglite-folders.ts';
import { createStore } from '../../support/store/create-store.ts';
import { sql } from '../../support/store/store-context.ts';
import { only } from '../../support/store/store-fixtures.ts';

const folders = usePgliteFolders();
const childFile = new URL('../../support/databases/pglite-child.ts', import.meta.url);
let folder: string;
let dataDir: string;
const children: ChildProcess[] = [];
const databases: Database[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'muster-crash-'));
  dataDir = join(folder, 'postgres');
});
afterEach(async () => {
  for (const child of children.splice(0)) await kill(child);
  for (const database of databases.splice(0)) await database.close();
  rmSync(folder, { recursive: true, force: true });
});

function startChild(what: 'open' | 'work'): ChildProcess {
  const child = fork(childFile, [dataDir, what], { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  children.push(child);
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

async function open(): Promise<Database> {
  const database = await openPglite({ dataDir });
  databases.push(database);
  return database;
}

interface Acknowledged {
  readonly submitted: string[];
  readonly completed: string[];
}

/**
 * Lets the child work until it has sent that many messages, kills it, and resolves with all acknowledgements until
 * then.
 */
async function workAndKill(messages: number): Promise<Acknowledged> {
  const child = startChild('work');
  const acknowledged: Acknowledged = { submitted: [], completed: [] };
  let count = 0;
  child.on('message', (message: Acknowledged) => {
    acknowledged.submitted.push(...message.submitted);
    acknowledged.completed.push(...message.completed);
    if (++count === messages) child.kill('SIGKILL');
  });
  await once(child, 'exit');
  expect({ signal: child.signalCode, enough: count >= messages }).toEqual({ signal: 'SIGKILL', enough: true });
  return acknowledged;
}

/** In pages, as every caller must. */
async function findAll(
  ids: readonly string[],
  find: (page: readonly string[]) => Promise<string[]>,
): Promise<string[]> {
  const found: string[] = [];
  for (let at = 0; at < ids.length; at += 1_000) found.push(...(await find(ids.slice(at, at + 1_000))));
  return found;
}

describe('a process that is killed', () => {
  it('loses nothing that it acknowledged, kill after kill', { timeout: 300_000 }, async () => {
    const seed = process.env.MUSTER_SEED ?? String(Date.now());
    console.log(`MUSTER_SEED=${seed}`);
    dataDir = await folders.copy();
    const prng = new Prng(seed);
    const acknowledged: Acknowledged = { submitted: [], completed: [] };
    for (let round = 0; round < 3; round++) {
      const { submitted, completed } = await workAndKill(prng.int(20, 100));
      acknowledged.submitted.push(...submitted);
      acknowledged.completed.push(...completed);
    }
    expect(acknowledged.completed.length).toBeGreaterThan(100);
    const database = await open();
    const store = createStore(database);
    expect((await findAll(acknowledged.submitted, store.findJobs)).sort()).toEqual(acknowledged.submitted.sort());
    expect((await findAll(acknowledged.completed, store.findEnded)).sort()).toEqual(acknowledged.completed.sort());
    const whole = await sql(
      { database },
      `SELECT count(*) AS jobs, count(r.job_id) + count(o.job_id) AS halves, count(*) FILTER (WHERE r.job_id = o.job_id) AS both
       FROM jobs LEFT JOIN job_runs r USING (job_id) LEFT JOIN job_outcomes o USING (job_id)`,
    );
    const { jobs, halves, both } = only(whole);
    expect({ halves, both }).toEqual({ halves: jobs, both: 0 });
  });

  it('can start again after a kill during its first start', async () => {
    const child = startChild('open');
    await eventually('the first files are there', () => existsSync(`${dataDir}.new/PG_VERSION`), {
      timeoutMs: 60_000,
      everyMs: 1,
    });
    await kill(child);
    expect(existsSync(dataDir)).toBe(false);
    const database = await open();
    expect(await migrate(database)).not.toEqual([]);
    expect(readdirSync(folder)).toEqual(['postgres']);
  });
});

describe('a data folder', () => {
  it('of another major version is refused with advice', async () => {
    mkdirSync(dataDir);
    writeFileSync(join(dataDir, 'PG_VERSION'), `${PGLITE_MAJOR - 1}\n`);
    await expect(open()).rejects.toThrow(
      /holds data of PostgreSQL 17.*embeds PostgreSQL 18.*"muster export muster-export.jsonl.gz --data \S+" with the release/,
    );
    expect(readdirSync(dataDir)).toEqual(['PG_VERSION']);
  });

  it('that holds something else is refused', async () => {
    mkdirSync(dataDir);
    writeFileSync(join(dataDir, 'letter.txt'), 'dear');
    await expect(open()).rejects.toThrow(/neither empty nor/);
    expect(readdirSync(dataDir)).toEqual(['letter.txt']);
  });

  it('that is empty is accepted, and its server reports its real version', async () => {
    mkdirSync(dataDir);
    const [row] = await sql({ database: await open() }, 'SHOW server_version_num');
    expect(Math.floor(Number(row?.server_version_num) / 10_000)).toBe(PGLITE_MAJOR);
  });
});
