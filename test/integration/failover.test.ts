/** A standby of PostgreSQL is promoted behind a moving address, and the last commits of the primary are lost. */
import { Client, type SubmittedJob, Worker } from '@muster-jobs/sdk';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TcpProxy } from '../chaos/harness/network/tcp-proxy.ts';
import { eventually } from '../support/base/eventually.ts';
import { makeScratchFolder, removeFolder } from '../support/base/replica.ts';
import { type Primary, type Standby, startPrimary } from '../support/base/standby.ts';
import { startMusterProcess } from '../support/cli/cli.ts';
import { readMetrics } from '../support/telemetry/replica-metrics.ts';

/** More than the numbers that a sequence of PostgreSQL reserves in its log: so a lost one is given again. */
const DEFINITIONS = 100;

let primary: Primary;
let standby: Standby;
let proxy: TcpProxy;
let folder: string;
let muster: ReturnType<typeof startMusterProcess> | undefined;

beforeAll(async () => {
  folder = await makeScratchFolder();
  [primary, proxy] = await Promise.all([startPrimary(), TcpProxy.open()]);
  standby = await primary.makeStandby('async');
  proxy.aim(primary.port);
});

afterAll(async () => {
  muster?.child.kill('SIGTERM');
  await muster?.ended;
  await Promise.all([proxy?.close(), standby?.stop(), primary?.stop()]);
  await removeFolder(folder);
});

async function rowsOf<T extends pg.QueryResultRow>(server: Primary, text: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: Object.assign(new URL(server.url), { pathname: 'jobs' }).href });
  await client.connect();
  const { rows } = await client.query<T>(text).finally(() => client.end());
  return rows;
}

async function lanesOf(server: Primary): Promise<Map<number, string>> {
  const rows = await rowsOf<{ lane_id: number; definition: string }>(
    server,
    'SELECT lane_id, definition FROM muster.lanes',
  );
  return new Map(rows.map(({ lane_id, definition }) => [lane_id, definition]));
}

/** Definitions of jobs, by id. */
async function definitionsIn(server: Primary): Promise<Map<string, string>> {
  const text = 'SELECT job_id, definition FROM muster.jobs JOIN muster.lanes USING (lane_id)';
  const rows = await rowsOf<{ job_id: string; definition: string }>(server, text);
  return new Map(rows.map(({ job_id, definition }) => [job_id, definition]));
}

const lost = Array.from({ length: DEFINITIONS }, (_, i) => `lost-${i}`);

it('muster start continues on the promoted standby, and runs no job under the definition of another', async () => {
  await primary.createDatabase('jobs');
  const url = `postgres://muster@127.0.0.1:${proxy.port}/jobs`;
  const args = ['--postgres', url, '--data', folder, '--grpc-port', '0', '--http-port', '0'];
  muster = startMusterProcess(['start', ...args]);
  const { output } = muster;
  const starts = () => [...output.stdout.matchAll(/gRPC +(\S+) .*\n +HTTP +(\S+)/g)].map(([, ...ports]) => ports);
  const [address, httpAddress] = await eventually('it is up', () => starts()[0], { timeoutMs: 60_000 });
  const client = new Client({ address: address as string });
  const submitEach = async (names: readonly string[]) => {
    await Promise.all(names.map((name) => client.applyDefinition({ name })));
    return client.submitMany(names.map((definition) => ({ definition, input: {} })));
  };
  let worker: Worker | undefined;
  let running: Promise<void> | undefined;
  try {
    const [kept] = await submitEach(['kept']);
    await standby.catchUp();
    await standby.detach();
    await submitEach(lost);
    const before = await lanesOf(primary);
    await primary.kill();
    await standby.promote();
    // Once it knows, the database is away again.
    muster.child.stderr?.on('data', (text: Buffer) => {
      if (text.includes('starts again')) proxy.aim(undefined);
    });
    proxy.aim(standby.port);
    proxy.cut();

    await eventually('it tries more than once', () => output.stderr.split('tries once more').length > 2, {
      timeoutMs: 60_000,
    });
    proxy.aim(standby.port);
    await eventually('it is up again', () => starts().length === 2, { timeoutMs: 60_000 });
    expect(starts()[1]).toEqual([address, httpAddress]);
    await expect(client.submit('lost-0', {})).rejects.toMatchObject({ reason: 'DEFINITION_NOT_FOUND' });
    // In another order, so that they get the lanes of each other.
    const again = lost.toReversed();
    const jobs = await submitEach(again);
    const stored = await definitionsIn(standby);
    expect(jobs.map(({ jobId }) => stored.get(jobId))).toEqual(again);
    const after = await lanesOf(standby);
    const given = [...before].filter(([lane, name]) => after.has(lane) && after.get(lane) !== name);
    expect(given.length).toBeGreaterThan(0);

    const handlers = Object.fromEntries(['kept', ...again].map((name) => [name, async () => name]));
    worker = new Worker({ address: address as string, name: 'w', slots: 20, handlers, logger: { log() {} } });
    running = worker.run();
    const results = await Promise.all([kept, ...jobs].map((job) => client.result(job as SubmittedJob)));
    expect(results).toEqual(['kept', ...again]);
    const metrics = await readMetrics(httpAddress as string);
    expect(metrics.get('muster_database_history_changes_total')?.samples[0]?.value).toBe(1);
  } finally {
    client.close();
    await worker?.stop();
    await running;
  }
});
