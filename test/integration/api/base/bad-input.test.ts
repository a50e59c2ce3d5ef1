/**
 * The bad-input catalogue: each request is refused with its code, a reason and the wrong fields, and the store is
 * unchanged. On PostgreSQL the store is compared after each request, in the core after every 25, in embedded mode after
 * the last one.
 */
import { join } from 'node:path';
import { create, toJsonString } from '@bufbuild/protobuf';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { LimitPolicy } from '@muster-jobs/sdk/gen/muster/v1/limit_pb';
import { SessionService } from '@muster-jobs/sdk/gen/muster/worker/v1/session_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../../server/store/driver/database.ts';
import { openPglite } from '../../../../server/store/driver/pglite.ts';
import { openPostgres } from '../../../../server/store/driver/postgres.ts';
import { makeScratchFolder, removeFolder } from '../../../support/base/replica.ts';
import { runsAll } from '../../../support/run/cases.ts';
import type { Definition } from '../bad-requests/base/builder.ts';
import { type BadRequest, badRequests, type Seed } from '../bad-requests/index.ts';
import type { Refusal } from './rpc.ts';
import { digestOf } from './store-digest.ts';
import { WebClient, type WebRefusal } from './web-clients.ts';
import { World } from './world.ts';

const { submitJob, waitJob } = JobService.method;

/** Long enough that nothing lapses meanwhile: any change of the store was made by a request. */
const quiet = { beatMs: 1_000_000, leaseMs: 3_600_000 };

/** Clients differ in their limit; 8 KiB are common. */
const MAX_TRAILER_BYTES = 8_000;
const MAX_REQUEST_BYTES = 4 << 20;

const BATCH = 25;
const COMPARE_EVERY = runsAll ? 1 : BATCH;
/** The timeout of each call and of all of them: some requests have megabytes, and the machine may be busy. */
const PATIENCE = { timeoutMs: 300_000, timeout: 600_000 };

/** In small groups, so that no request is late because of the others. */
async function inBatches<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < items.length; at += BATCH) {
    results.push(...(await Promise.all(items.slice(at, at + BATCH).map(work))));
  }
  return results;
}

const titleOf = ({ row, method, what }: BadRequest) => `${row || 'more'} ${method.name}: ${what}`;

/** The refusal. If the call succeeds, the error names the request. */
async function named<T>(bad: BadRequest, refusal: Promise<T>): Promise<T> {
  return refusal.catch((error: Error) => {
    throw new Error(`${titleOf(bad)}: ${error.message}`);
  });
}

/** Sixteen workflows, each a step of the next, the first made from a task. */
async function nest(world: World, task: string): Promise<Pick<Seed, 'nested' | 'innermost'>> {
  const body = (definition: string): NonNullable<Definition['body']> => ({
    case: 'workflow',
    value: { steps: [{ name: 'a', definition }] },
  });
  const innermost = await world.define({ body: body(task) });
  let nested = innermost;
  for (let i = 1; i < 16; i++) nested = await world.define({ body: body(nested) });
  return { nested, innermost };
}

async function sow(world: World): Promise<Seed> {
  const definition = await world.define();
  const limited = await world.define({ keyLimit: { key: 'input.tenant', maxConcurrency: 1 } });
  const full = await world.define({ keyLimit: { maxConcurrency: 1, policy: LimitPolicy.REJECT_NEW } });
  await world.submit(full);
  const workflows = await nest(world, definition);
  const [idempotencyKey, requestId] = ['taken', '0198c0de-0000-4000-8000-00000000000a'];
  const { jobId } = await world.rpc.call(submitJob, { requestId, job: { definition, idempotencyKey } });
  const endedJobId = await world.submit(definition, { expireTime: { seconds: 1n } });
  await world.rpc.call(waitJob, { jobId: endedJobId });
  const [open, closed] = [await world.openWorker('nothing'), await world.openWorker('nothing')];
  await closed.close();
  const sessions = { sessionId: open.sessionId, closedSessionId: closed.sessionId };
  return { definition, limited, full, ...workflows, jobId, idempotencyKey, requestId, endedJobId, ...sessions };
}

/** Rows of each table after `sow`. */
const sown = {
  jobs: 3,
  job_runs: 2,
  job_outcomes: 1,
  job_attempts: 0,
  job_checkpoints: 0,
  job_definitions: 19,
  sessions: 2,
  request_ids: 1,
  idempotency_keys: 1,
};

function rowsOf(digest: Readonly<Record<string, string>>): Record<string, number> {
  return Object.fromEntries(Object.entries(digest).map(([table, text]) => [table, Number.parseInt(text, 10)]));
}

function expectRefusal(refusal: Refusal, expected: BadRequest): void {
  const { code, reason, fields } = refusal;
  expect({ code, reason, fields }).toEqual({ code: expected.code, reason: expected.reason, fields: expected.fields });
  expect(refusal.info?.domain).toBe('muster');
  expect(refusal.status).toMatchObject({ code, message: refusal.message });
  expect(refusal.message).not.toBe('');
  expect(refusal.trailerBytes).toBeLessThan(MAX_TRAILER_BYTES);
}

describe('bad input on PostgreSQL', () => {
  let database: Database;
  let world: World;
  let seed: Seed;
  let before: Record<string, string>;

  beforeAll(async () => {
    world = await World.start(quiet);
    database = openPostgres({ url: world.postgresUrl, poolSize: 1 });
    seed = await sow(world);
    before = await digestOf(database);
  });

  afterAll(async () => {
    await database?.close();
    await world?.stop();
  });

  it('has stored data that it could change', () => {
    expect(rowsOf(before)).toMatchObject(sown);
  });

  const cases = badRequests.map((request, index) => [titleOf(request), index, request] as const);
  it.each(cases)('%s', async (_title, index, bad) => {
    expectRefusal(await world.rpc.refused(bad.method, bad.request(seed)), bad);
    if ((index + 1) % COMPARE_EVERY !== 0 && index + 1 < cases.length) return;
    const since = cases.slice(Math.max(0, index + 1 - COMPARE_EVERY), index + 1).map(([title]) => title);
    expect(await digestOf(database), `after ${since.join('; ')}`).toEqual(before);
  });

  it('leaves a replica that still works', async () => {
    expect(await world.stateOf(seed.jobId)).toBe('READY');
    await world.submit(seed.definition);
    expect(await digestOf(database)).not.toEqual(before);
  });
});

describe.runIf(runsAll)('bad input in embedded mode', () => {
  it('is refused in the same way, also many at once, and nothing of it is stored', PATIENCE, async () => {
    const dataFolder = await makeScratchFolder();
    try {
      const world = await World.startWith({ ...quiet, dataFolder });
      const seed = await sow(world);
      const refusals = await inBatches(badRequests, (bad) =>
        named(bad, world.rpc.refused(bad.method, bad.request(seed), PATIENCE)),
      ).finally(() => world.stop());
      badRequests.forEach((bad, i) => {
        expectRefusal(refusals[i] as Refusal, bad);
      });
      const database = await openPglite({ dataDir: join(dataFolder, 'postgres') });
      const stored = await digestOf(database).finally(() => database.close());
      expect(rowsOf(stored)).toEqual({ ...rowsOf(stored), ...sown });
    } finally {
      await removeFolder(dataFolder);
    }
  });
});

describe.runIf(runsAll)('bad input over HTTP', () => {
  /**
   * JSON can not express some requests, such as a duration with two signs, or would be too large: binary tests those
   * alone.
   */
  function isJson({ method, request }: BadRequest, seed: Seed): boolean {
    try {
      return toJsonString(method.input, create(method.input, request(seed))).length < MAX_REQUEST_BYTES;
    } catch {
      return false;
    }
  }

  async function refuseAll(world: World, seed: Seed): Promise<void> {
    const rows = badRequests.filter(({ method }) => method.parent !== SessionService);
    const spoken = rows.filter((bad) => isJson(bad, seed));
    expect(spoken.length).toBeGreaterThan(rows.length * 0.8);
    const [json, binary] = [
      new WebClient(world.replica.httpAddress, 'Connect JSON'),
      new WebClient(world.replica.httpAddress, 'Connect binary'),
    ];
    const calls = [...rows.map((bad) => ({ bad, client: binary })), ...spoken.map((bad) => ({ bad, client: json }))];
    const refusals = await inBatches(calls, ({ bad, client }) =>
      named(bad, client.refused(bad.method, bad.request(seed), PATIENCE)),
    );
    calls.forEach(({ bad }, i) => {
      const title = titleOf(bad);
      const { code, reason, fields, info } = refusals[i] as WebRefusal;
      expect({ title, code, reason, fields, domain: info?.domain }).toEqual({
        title,
        code: bad.code,
        reason: bad.reason,
        fields: bad.fields,
        domain: 'muster',
      });
    });
  }

  it(
    'is refused in the same way, many at once, in binary and in JSON, and nothing of it is stored',
    PATIENCE,
    async () => {
      const world = await World.start(quiet);
      const database = openPostgres({ url: world.postgresUrl, poolSize: 1 });
      try {
        const seed = await sow(world);
        const before = await digestOf(database);
        await refuseAll(world, seed);
        expect(await digestOf(database)).toEqual(before);
        expect(await world.stateOf(seed.jobId)).toBe('READY');
      } finally {
        await database.close();
        await world.stop();
      }
    },
  );
});
