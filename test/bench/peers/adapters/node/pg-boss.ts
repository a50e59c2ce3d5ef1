/** pg-boss: a library on PostgreSQL, with batches, and NOTIFY instead of polling. */
import { PgBoss } from 'pg-boss';
import type { Work } from '../../contract.ts';
import type { Adapter } from './adapter.ts';

/** Concurrent fetches for a queue, and jobs per fetch. */
const FETCHES = 4;
const BATCH = 500;
/** The shortest that it accepts. Only `watched` has it, since it costs work for each job. */
const HEARTBEAT_SECONDS = 10;

export const adapter: Adapter = {
  async prepare(connectionString, queues) {
    const boss = await new PgBoss({ connectionString, supervise: false, schedule: false }).start();
    for (const queue of queues)
      await boss.createQueue(queue, {
        notify: true,
        ...(queue === 'watched' ? { heartbeatSeconds: HEARTBEAT_SECONDS } : {}),
      });
    await boss.stop();
  },

  async producer(connectionString) {
    const boss = await new PgBoss({ connectionString, supervise: false, schedule: false }).start();
    boss.on('error', () => {});
    return {
      async submitMany(queue, jobs) {
        if (jobs.length === 1) return [(await boss.send(queue, jobs[0])) as string];
        return (
          (await boss.insert(
            queue,
            jobs.map((data) => ({ data })),
          )) ?? []
        );
      },
      async cancel(queue, job) {
        await boss.cancel(queue, job);
      },
      async open(queues) {
        const { rows } = await boss.getDb().executeSql(
          `SELECT count(*) FILTER (WHERE state < 'completed')::int AS open,
                  count(*) FILTER (WHERE state = 'failed')::int AS failed
           FROM pgboss.job WHERE name = ANY ($1)`,
          [queues],
        );
        return rows[0] as { open: number; failed: number };
      },
    };
  },

  async worker(connectionString, queues, handler) {
    const boss = await new PgBoss({ connectionString, useListenNotify: true, max: 10 }).start();
    boss.on('error', () => {});
    for (const queue of queues) {
      const options = { batchSize: BATCH, localConcurrency: FETCHES, burstWhenBatchFull: true };
      await boss.work<Work>(queue, options, async (jobs) => {
        await Promise.all(jobs.map((job) => handler(job.data, job.signal)));
      });
    }
    return () => boss.stop();
  },
};
