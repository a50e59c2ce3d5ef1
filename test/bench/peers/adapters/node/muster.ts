/** Muster: gRPC to the control plane, which stores in PostgreSQL and assigns jobs to workers over NATS. */
import { Client, JobState, Worker } from '../../../../../sdk/typescript/src/index.ts';
import type { Adapter, Handler } from './adapter.ts';

/** The same as in Muster's own benchmark. */
const SLOTS = 1_000;

async function count(client: Client, queues: readonly string[], states: readonly JobState[]): Promise<number> {
  let found = 0;
  for (const queue of queues)
    for await (const _ of client.list({ queue, states }, { pageSize: 1 })) {
      found++;
      break;
    }
  return found;
}

/** One session per queue, so that each has slots of its own. */
function startWorker(address: string, queue: string, handler: Handler): Promise<Worker> {
  return new Promise((resolve, reject) => {
    const worker = new Worker({
      address,
      name: `bench-${queue}`,
      slots: SLOTS,
      handlers: { [queue]: (context, input) => handler(input, context.signal) ?? null },
      onEvent: (event) => event === 'ready' && resolve(worker),
      logger: { log: () => {} },
    });
    worker.run().catch(reject);
  });
}

export const adapter: Adapter = {
  async prepare(address, queues) {
    const client = new Client({ address });
    for (const queue of queues) {
      await client.createQueue(queue);
      await client.applyDefinition({ name: queue, queue });
    }
    client.close();
  },

  async producer(address) {
    const client = new Client({ address });
    return {
      async submitMany(queue, jobs) {
        if (jobs.length === 1) return [(await client.submit(queue, jobs[0])).jobId];
        const submitted = await client.submitMany(jobs.map((input) => ({ definition: queue, input })));
        return submitted.map(({ jobId }) => jobId);
      },
      async cancel(_queue, job) {
        await client.cancel(job);
      },
      async open(queues) {
        let open = 0;
        for (const queue of queues) {
          const { counts } = await client.getQueue(queue);
          if (counts) open += Number(counts.ready + counts.scheduled + counts.leased + counts.paused);
        }
        return { open, failed: await count(client, queues, [JobState.FAILED, JobState.EXPIRED]) };
      },
    };
  },

  async worker(address, queues, handler) {
    const workers = await Promise.all(queues.map((queue) => startWorker(address, queue, handler)));
    return () => Promise.all(workers.map((worker) => worker.stop()));
  },
};
