/** Graphile Worker: a library on PostgreSQL, with local queue and batched completion as in its page on performance. */
import { EventEmitter, once } from 'node:events';
import { Logger, makeWorkerUtils, type Runner, run, type WorkerEvents, WorkerPreset } from 'graphile-worker';
import type { Work } from '../../contract.ts';
import type { Adapter, Handler } from './adapter.ts';

const quiet = new Logger(() => () => {});

/** One runner per queue, so that each has slots of its own: a queue of Graphile Worker runs one job after the other. */
async function startRunner(connectionString: string, queue: string, handler: Handler): Promise<Runner> {
  const events = new EventEmitter() as WorkerEvents;
  const listening = once(events, 'pool:listen:success');
  const runner = await run({
    preset: {
      extends: [WorkerPreset],
      worker: {
        connectionString,
        concurrentJobs: 24,
        maxPoolSize: 25,
        localQueue: { size: 500 },
        completeJobBatchDelay: 0,
        failJobBatchDelay: 0,
        logger: quiet,
        events,
      },
    },
    parsedCronItems: [],
    noHandleSignals: true,
    taskList: { [queue]: async (payload, helpers) => handler(payload as Work, helpers.abortSignal) },
  });
  await listening;
  return runner;
}

export const adapter: Adapter = {
  async prepare(connectionString) {
    const utils = await makeWorkerUtils({ connectionString, logger: quiet });
    await utils.migrate();
    await utils.release();
  },

  async producer(connectionString) {
    const utils = await makeWorkerUtils({ connectionString, logger: quiet, maxPoolSize: 10 });
    return {
      async submitMany(queue, jobs) {
        const [first] = jobs;
        if (jobs.length === 1) return [(await utils.addJob(queue, first)).id];
        const added = await utils.addJobs(jobs.map((payload) => ({ identifier: queue, payload })));
        return added.map(({ id }) => id);
      },
      async open(queues) {
        const { rows } = await utils.withPgClient((client) =>
          client.query(
            `SELECT count(*) FILTER (WHERE attempts < max_attempts OR locked_at IS NOT NULL)::int AS open,
                    count(*) FILTER (WHERE last_error IS NOT NULL)::int AS failed
             FROM graphile_worker.jobs WHERE task_identifier = ANY ($1)`,
            [queues],
          ),
        );
        return rows[0] as { open: number; failed: number };
      },
    };
  },

  async worker(url, queues, handler) {
    const runners = await Promise.all(queues.map((queue) => startRunner(url, queue, handler)));
    return () => Promise.all(runners.map((runner) => runner.stop()));
  },
};
