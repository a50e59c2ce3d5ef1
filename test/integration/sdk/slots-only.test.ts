/** Jobs that only free slots can take, behind a backlog of short jobs that an SDK worker prefetches. */

import { setTimeout as delay } from 'node:timers/promises';
import { Client, isTerminal, Worker } from '@muster-jobs/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../support/base/eventually.ts';
import { startTestReplica, type TestReplica } from '../../support/base/replica.ts';
import { databaseKinds } from '../../support/databases/databases.ts';
import { sharedPostgres, type TestDatabases } from '../../support/databases/postgres.ts';

const BACKLOG = 6_000;

describe.each(databaseKinds)('a worker with prefetch on %s', (kind) => {
  let postgres: TestDatabases | undefined;
  let replica: TestReplica;
  let client: Client;
  let worker: Worker;
  let run: Promise<void>;
  let plain = 0;
  /** The number of short jobs that had run when another job began, by its input. */
  const plainBefore = new Map<string, number>();

  beforeAll(async () => {
    if (kind === 'PostgreSQL') postgres = await sharedPostgres();
    replica = await startTestReplica(postgres ? { postgresUrl: await postgres.createDatabase() } : {});
    const address = replica.grpcAddress;
    client = new Client({ address });
    const begin = (_: unknown, name: string) => void plainBefore.set(name, plain);
    worker = new Worker({
      address,
      name: 'busy',
      slots: 4,
      resources: { gpu: 1 },
      handlers: {
        plain: async () => {
          await delay(2);
          plain++;
        },
        big: begin,
        limited: async (_, name: string) => {
          begin(_, name);
          await delay(20);
        },
      },
      logger: { log: () => {} },
    });
    await client.applyDefinition({ name: 'plain' });
    await client.applyDefinition({ name: 'big', demands: { resources: { gpu: 1 } } });
    await client.applyDefinition({ name: 'limited', maxConcurrency: 1 });
    run = worker.run();
  });

  afterAll(async () => {
    client?.close();
    await worker?.stop();
    await run;
    await replica?.stop();
    await postgres?.stop();
  });

  /** The number of later short jobs, with a few earlier ones, that ran before the last of the others began. */
  async function overtaken(definition: string, count: number): Promise<number> {
    const short = (n: number) => Array.from({ length: n }, () => ({ definition: 'plain' }));
    const before = plain;
    await client.submitMany(short(500));
    const names = Array.from({ length: count }, (_, i) => `${definition}-${i}`);
    const jobs = await client.submitMany(names.map((input) => ({ definition, input })));
    const rest = await client.submitMany(short(BACKLOG));
    for (const job of jobs) await client.result(job);
    await client.cancelJobs({ definition: 'plain' });
    for (const job of rest.slice(-1)) await client.wait(job);
    await eventually('no short job is left', async () => {
      for await (const { state } of client.list({ definition: 'plain' })) if (!isTerminal(state)) return false;
      return true;
    });
    return (plainBefore.get(names.at(-1) ?? '') ?? Number.NaN) - before - 500;
  }

  it('runs an older job that demands resources before short younger ones', async () => {
    expect(await overtaken('big', 1)).toBeLessThan(1_500);
  });

  it('runs older jobs that wait at their limit before short younger ones', async () => {
    expect(await overtaken('limited', 5)).toBeLessThan(4_500);
  });
});
