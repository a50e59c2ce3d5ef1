/** BullMQ: scripts in Redis. Producer and worker connect only to Redis. */
import { type JobsOptions, Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import type { Work } from '../../contract.ts';
import type { Adapter } from './adapter.ts';

const CONCURRENCY = 100;
/** Ended jobs are not kept: BullMQ's guide warns that Redis would fill up. */
const options: JobsOptions = { removeOnComplete: true, removeOnFail: false };

export const adapter: Adapter = {
  async producer(url, names) {
    const connection = new Redis(url, { maxRetriesPerRequest: null });
    const queues = new Map(names.map((name) => [name, new Queue<Work>(name, { connection })]));
    const queueOf = (name: string) => queues.get(name) as Queue<Work>;
    return {
      async submitMany(name, jobs) {
        const queue = queueOf(name);
        if (jobs.length === 1) return [(await queue.add('work', jobs[0] as Work, options)).id as string];
        const added = await queue.addBulk(jobs.map((data) => ({ name: 'work', data, opts: options })));
        return added.map(({ id }) => id as string);
      },
      async open(wanted) {
        const counts = await Promise.all(
          wanted.map((name) => queueOf(name).getJobCounts('wait', 'active', 'delayed', 'prioritized', 'failed')),
        );
        const failed = counts.reduce((sum, each) => sum + (each.failed ?? 0), 0);
        const all = counts.flatMap((each) => Object.values(each)).reduce((sum, each) => sum + each, 0);
        return { open: all - failed, failed };
      },
    };
  },

  async worker(url, names, handler) {
    const workers: Worker<Work>[] = [];
    for (const name of names) {
      // A worker blocks its connection, so each has its own.
      const connection = new Redis(url, { maxRetriesPerRequest: null });
      const worker = new Worker<Work>(
        name,
        async (job, _token, signal) => {
          await handler(job.data, signal as AbortSignal | undefined);
        },
        { connection, concurrency: CONCURRENCY },
      );
      await worker.waitUntilReady();
      workers.push(worker);
    }
    return () => Promise.all(workers.map((worker) => worker.close()));
  },
};
