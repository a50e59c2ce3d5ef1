/** A bounded queue on two replicas: each learns of a change within a second, and together they keep the bound. */
import { Client, Code, MusterError } from '@muster-jobs/sdk';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../support/base/eventually.ts';
import { startTwoReplicas, type TwoReplicas } from '../support/databases/shared-backends.ts';

let deployment: TwoReplicas;
let clients: Client[] = [];

beforeAll(async () => {
  deployment = await startTwoReplicas({ leaseMs: 60_000 });
  const retry = { maxAttempts: 1, minBackoffMs: 1, maxBackoffMs: 1 };
  clients = deployment.replicas.map(({ grpcAddress }) => new Client({ address: grpcAddress, retry }));
});

afterAll(async () => {
  for (const client of clients) client.close();
  await deployment?.stop();
});

const BOUND = 20;

async function isTaken(client: Client, priority = 0): Promise<boolean> {
  try {
    await client.submit('work', null, { queue: 'line', priority });
    return true;
  } catch (error) {
    if (error instanceof MusterError && error.code === Code.RESOURCE_EXHAUSTED && error.reason === 'QUEUE_FULL')
      return false;
    throw error;
  }
}

it('the backlog bound of a queue is kept by both replicas, except for jobs accepted within one second', async () => {
  const [here, there] = clients as [Client, Client];
  await here.applyDefinition({ name: 'work' });
  await here.createQueue('line', { maxBacklog: BOUND });
  for (let job = 0; job < BOUND; job++) expect(await isTaken(here)).toBe(true);
  // At once on the replica that set the bound, within a second on the other one.
  expect(await isTaken(here)).toBe(false);
  const ready = async () => Number((await there.getQueue('line')).counts?.ready);
  await eventually('the other replica knows', async () => !(await isTaken(there)));
  expect(await isTaken(here)).toBe(false);
  // A bound that is raised on one replica admits jobs on the other.
  await here.updateQueue('line', { maxBacklog: 1_000 });
  expect(await isTaken(here)).toBe(true);
  await eventually('the other replica knows that, too', () => isTaken(there));
  // Both at once admit at most twice the free space, and then nothing more.
  const space = 1_000 - (await ready());
  const flood = Array.from({ length: 40 }, (_, i) =>
    (clients[i % 2] as Client)
      .submitMany(Array.from({ length: 100 }, () => ({ definition: 'work', queue: 'line' })))
      .then(() => 100)
      .catch(() => 0),
  );
  const accepted = (await Promise.all(flood)).reduce((sum, jobs) => sum + jobs, 0);
  expect(accepted).toBeLessThanOrEqual(2 * space);
  expect(accepted).toBeGreaterThan(space - 200);
  await eventually(
    'both refuse what matters less',
    async () => !(await isTaken(here, -1)) && !(await isTaken(there, -1)),
  );
});
