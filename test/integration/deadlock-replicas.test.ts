/** Deadlocks over two replicas: both find handlers that wait on different replicas. */
import { Client, MusterError, Worker, waitReasonName } from '@muster/sdk';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { startTwoReplicas, type TwoReplicas } from '../support/shared-backends.ts';

let deployment: TwoReplicas;
let clients: Client[] = [];

beforeAll(async () => {
  deployment = await startTwoReplicas({ leaseMs: 60_000 });
  clients = deployment.replicas.map(({ grpcAddress }) => new Client({ address: grpcAddress }));
});

afterAll(async () => {
  for (const client of clients) client.close();
  await deployment?.stop();
});

it('a deadlock of two handlers at two replicas, each waiting for the other’s slot, is found', async () => {
  const [here, there] = clients as [Client, Client];
  for (const name of ['left', 'right']) await here.applyDefinition({ name, maxConcurrency: 1 });
  const started = Promise.withResolvers<void>();
  let [count, isSeen] = [0, false];
  const waitFor = (client: Client, other: string) => async (_ctx: unknown, isFirst: unknown) => {
    if (!isFirst) return 'second';
    // Both hold the only slot of their definition before either waits for the other's.
    if (++count === 2) started.resolve();
    await started.promise;
    const job = await client.submit(other, false);
    for (;;) {
      try {
        return await client.result(job);
      } catch (error) {
        if (!(error instanceof MusterError) || error.reason !== 'DEADLOCK') throw error;
        // It waits again, so that the search has the time it needs.
        if (isSeen) return error.reason;
      }
    }
  };
  const worker = new Worker({
    address: deployment.replicas[0]?.grpcAddress ?? '',
    name: 'both',
    logger: { log: () => {} },
    slots: 10,
    handlers: { left: waitFor(here, 'right'), right: waitFor(there, 'left') },
  });
  const running = worker.run();
  try {
    const jobs = [await here.submit('left', true), await there.submit('right', true)];
    for (const client of clients)
      for (const job of jobs)
        await eventually('each replica tells it of each job', async () => {
          const { constraints } = await client.explain(job);
          return constraints.some(({ reason }) => waitReasonName(reason) === 'DEADLOCK');
        });
    isSeen = true;
    // The first refused wait frees its slot: the other one may be refused as well, or get its result.
    const results = await Promise.all(jobs.map((job) => here.result<string>(job, { timeoutMs: 60_000 })));
    expect(results).toContain('DEADLOCK');
    for (const result of results) expect(['DEADLOCK', 'second']).toContain(result);
  } finally {
    await worker.stop();
    await running;
  }
});
