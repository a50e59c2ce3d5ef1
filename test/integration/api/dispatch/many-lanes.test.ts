/** More ready lanes than a page of them has, after a restart: nothing but the database says that they are there. */
import { Client, Worker } from '@muster-jobs/sdk';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestReplica, type TestReplica } from '../../../support/base/replica.ts';
import { sharedPostgres, type TestDatabases } from '../../../support/databases/postgres.ts';
import { runsAll } from '../../../support/run/cases.ts';

/** A page of the lanes with ready jobs. */
const PAGE = 5_000;
const CALL = 1_000;

let postgres: TestDatabases;
let replica: TestReplica | undefined;

beforeAll(async () => {
  postgres = await sharedPostgres();
});
afterAll(async () => {
  await replica?.stop();
  await postgres?.stop();
});

it.runIf(runsAll)('a job in the 5,001st ready lane runs after a restart', async () => {
  const postgresUrl = await postgres.createDatabase();
  replica = await startTestReplica({ postgresUrl });
  const before = new Client({ address: replica.grpcAddress });
  await before.applyDefinition({ name: 'idle' });
  await before.applyDefinition({ name: 'work' });
  for (let first = 0; first < PAGE; first += CALL) {
    const requests = Array.from({ length: CALL }, (_, i) => ({ definition: 'idle', queue: `q-${first + i}` }));
    await before.submitMany(requests);
  }
  const last = await before.submit('work');
  before.close();
  await replica.stop();

  replica = await startTestReplica({ postgresUrl });
  const handlers = { work: async () => 'done' };
  const worker = new Worker({ address: replica.grpcAddress, name: 'w', handlers, logger: { log() {} } });
  const running = worker.run();
  const client = new Client({ address: replica.grpcAddress });
  try {
    expect(await client.result(last)).toBe('done');
  } finally {
    client.close();
    await worker.stop();
    await running;
  }
});
