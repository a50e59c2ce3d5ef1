/**
 * The first jobs of queues and lanes: created together with them, so that a refused submission leaves neither behind.
 */

import { join } from 'node:path';
import { JobDefinitionService } from '@muster-jobs/sdk/gen/muster/v1/job_definition_service_pb';
import { IdempotencyConflictPolicy } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { QueueService } from '@muster-jobs/sdk/gen/muster/v1/queue_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../../server/api/base/code.ts';
import type { Database } from '../../../../server/store/driver/database.ts';
import { openPglite } from '../../../../server/store/driver/pglite.ts';
import { openPostgres } from '../../../../server/store/driver/postgres.ts';
import { makeScratchFolder, removeFolder } from '../../../support/base/replica.ts';
import { databaseKinds } from '../../../support/databases/databases.ts';
import { sharedPostgres } from '../../../support/databases/postgres.ts';
import { World } from '../base/world.ts';

const { submitJob, submitJobs, getJob } = JobService.method;
const { applyJobDefinition, archiveJobDefinition } = JobDefinitionService.method;
const { listQueues } = QueueService.method;
const body = { case: 'task', value: {} } as const;
const { FAIL, REPLACE } = IdempotencyConflictPolicy;
const newId = () => crypto.randomUUID();
const newKey = () => `key-${newId()}`;

interface Place {
  readonly world: World;
  /** Opens the store after the replica has stopped. */
  readonly open: () => Promise<Database>;
  readonly remove: () => Promise<void>;
}

async function startOn(kind: (typeof databaseKinds)[number]): Promise<Place> {
  if (kind === 'PGlite') {
    const dataFolder = await makeScratchFolder();
    return {
      world: await World.startWith({ dataFolder }),
      open: () => openPglite({ dataDir: join(dataFolder, 'postgres') }),
      remove: () => removeFolder(dataFolder),
    };
  }
  const postgres = await sharedPostgres();
  const url = await postgres.createDatabase();
  return {
    world: await World.startWith({ postgresUrl: url }),
    open: async () => openPostgres({ url }),
    remove: () => postgres.stop(),
  };
}

describe.each(databaseKinds)('the first job of a lane, on %s,', (kind) => {
  let place: Place;
  let world: World;
  let stopped = false;
  /** Lanes created by accepted submissions, by definition. */
  const lanes = new Map<string, number>();

  beforeAll(async () => {
    place = await startOn(kind);
    world = place.world;
  });

  afterAll(async () => {
    if (!stopped) await world?.stop();
    await place?.remove();
  });

  const queueNames = async () => (await world.rpc.call(listQueues, { pageSize: 1_000 })).queues.map(({ name }) => name);

  /** A definition with a job that has a key and a request id. */
  async function submitFirst() {
    const definition = await world.define();
    lanes.set(definition, 1);
    const [idempotencyKey, requestId] = [newKey(), newId()];
    const first = { job: { definition, queue: `of-${definition}`, idempotencyKey }, requestId };
    return { definition, first, jobId: (await world.rpc.call(submitJob, first)).jobId };
  }

  it('creates its queue', async () => {
    const { first } = await submitFirst();
    expect(await queueNames()).toContain(first.job.queue);
  });

  it('creates no queue if it is refused for its key', async () => {
    const { first } = await submitFirst();
    const { definition, idempotencyKey } = first.job;
    const before = await queueNames();
    const conflict = { code: Code.ALREADY_EXISTS, reason: 'IDEMPOTENCY_CONFLICT' };
    const other = { definition, idempotencyKey, queue: `other-than-${first.job.queue}` };
    const fail = { ...first.job, queue: `new-${definition}`, idempotencyConflictPolicy: FAIL };
    expect(await world.rpc.refused(submitJob, { job: other })).toMatchObject(conflict);
    expect(await world.rpc.refused(submitJob, { job: other, requestId: newId() })).toMatchObject(conflict);
    expect(await world.rpc.refused(submitJob, { job: fail })).toMatchObject(conflict);
    const jobs = [{ definition, queue: `beside-${definition}` }, other];
    expect(await world.rpc.refused(submitJobs, { jobs })).toMatchObject(conflict);
    expect(await queueNames()).toEqual(before);
  });

  it('creates no queue if it is refused for its request id', async () => {
    const { first, definition } = await submitFirst();
    const before = await queueNames();
    const { requestId } = first;
    for (const idempotencyKey of ['', newKey()]) {
      const job = { definition, idempotencyKey, queue: `other-than-${definition}` };
      expect(await world.rpc.refused(submitJob, { job, requestId })).toMatchObject({
        code: Code.INVALID_ARGUMENT,
        reason: 'REQUEST_ID_REUSED',
      });
    }
    expect(await queueNames()).toEqual(before);
    // The idempotency key of the refused call is not taken either.
    expect((await world.rpc.call(submitJob, first)).existing).toBe(true);
  });

  it('creates no queue if it is a repeat, though the definition has a new version or was archived since', async () => {
    const { first, definition, jobId } = await submitFirst();
    await world.rpc.call(applyJobDefinition, { definition: { name: definition, body, priority: 7 } });
    expect(await world.rpc.call(submitJob, first)).toMatchObject({ jobId, existing: true });
    const schema = JSON.stringify({ type: 'object', required: ['never'] });
    const stricter = {
      name: definition,
      body,
      inputSchema: { schema: { case: 'jsonSchema', value: schema } },
    } as const;
    await world.rpc.call(applyJobDefinition, { definition: stricter });
    expect(await world.rpc.call(submitJob, first)).toMatchObject({ jobId, existing: true });
    await world.rpc.call(archiveJobDefinition, { name: definition });
    expect(await world.rpc.call(submitJob, first)).toMatchObject({ jobId, existing: true });
    const reused = { ...first, job: { ...first.job, priority: 1 } };
    expect(await world.rpc.refused(submitJob, reused)).toMatchObject({ reason: 'REQUEST_ID_REUSED' });
    const another = { ...first, requestId: newId() };
    expect(await world.rpc.refused(submitJob, another)).toMatchObject({ reason: 'DEFINITION_ARCHIVED' });
  });

  it('can replace a job of another queue', async () => {
    const { first, definition, jobId } = await submitFirst();
    lanes.set(definition, 2);
    const queue = `next-${definition}`;
    const job = { ...first.job, queue, idempotencyConflictPolicy: REPLACE };
    const next = await world.rpc.call(submitJob, { job });
    expect(next.existing).toBe(false);
    expect(await world.stateOf(jobId)).toBe('CANCELLED');
    expect((await world.rpc.call(getJob, { jobId: next.jobId })).job).toMatchObject({ queue });
  });

  it('is created once, with its queue, if two concurrent calls take the same key', async () => {
    const definition = await world.define();
    lanes.set(definition, 1);
    const idempotencyKey = newKey();
    const queues = Array.from({ length: 6 }, (_, i) => `race-${i}-${definition}`);
    const settled = await Promise.allSettled(
      queues.map((queue) => world.rpc.call(submitJob, { job: { definition, idempotencyKey, queue } })),
    );
    const won = queues.filter((_, i) => settled[i]?.status === 'fulfilled');
    expect(won).toHaveLength(1);
    expect((await queueNames()).filter((name) => queues.includes(name))).toEqual(won);
  });

  it('is stored for each of many concurrent calls, in any order', async () => {
    const definition = await world.define();
    lanes.set(definition, 2);
    const [a, b] = [`a-${definition}`, `b-${definition}`];
    const jobs = [a, b].map((queue) => ({ definition, queue }));
    const calls = Array.from({ length: 20 }, (_, i) =>
      world.rpc.call(submitJobs, { jobs: i % 2 === 0 ? jobs : [...jobs].reverse(), requestId: newId() }),
    );
    const ids = (await Promise.all(calls)).flatMap((answer) => answer.jobs.map(({ jobId }) => jobId));
    expect(new Set(ids).size).toBe(40);
    const queues = (await world.rpc.call(listQueues, { pageSize: 1_000 })).queues.filter(({ name }) =>
      [a, b].includes(name),
    );
    expect(queues.map(({ counts }) => counts?.ready)).toEqual([20n, 20n]);
  });

  it('creates the only lanes: no other call creates one', async () => {
    stopped = true;
    await world.stop();
    const database = await place.open();
    const rows = await database.run(
      {
        name: '',
        text: 'SELECT definition, count(*)::int AS lanes FROM lanes GROUP BY definition ORDER BY definition',
        row: { definition: 'text', lanes: 'int4' },
      },
      [],
    );
    await database.close();
    expect(new Map(rows.map((row) => [row.definition, row.lanes]))).toEqual(lanes);
  });
});
