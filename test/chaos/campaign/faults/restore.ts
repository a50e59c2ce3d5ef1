/** A backup that is restored: jobs continue between the two, the events stay, and workers live on. */
import { Client, isTerminal } from '@muster-jobs/sdk';
import { eventually } from '../../../support/base/eventually.ts';
import { undoneJobs } from '../../checker/restores.ts';
import type { Run } from '../../harness/run.ts';
import { allRestart } from './failover.ts';
import { type Fault, require } from './fault.ts';

/** More than the numbers that a sequence of PostgreSQL reserves in its log, so that a lost one is given again. */
const LANES = 60;
const JOBS = 60;
const EVENTS_MS = 60_000;
const MAX_READ = 200;

function backupRestored(name: string, endsReplicas: boolean): Fault {
  return {
    name,
    endsReplicas,
    fits: ({ standby }) => standby,
    async inflict({ run, dice, expectedErrors }) {
      const { moving, replicas } = run.deployment;
      expectedErrors.push(/history/);
      const lanes = Array.from({ length: LANES }, (_, n) => `restored-${dice.int(0, 1e9)}-${n}`);
      const work = async () => {
        // The backup lacks these lanes: after the restore others may get their ids.
        await fillLanes(run, lanes);
        await run.progress(JOBS);
      };
      let before: readonly string[] = [];
      let restarted = async () => {};
      const { from, to } = await run.restore(work, async (backup) => {
        if (endsReplicas) await Promise.all(replicas.map((replica) => replica.end()));
        else restarted = allRestart(replicas);
        before = await endedJobs(run);
        await moving?.restore(backup);
      });
      const open = await openOf(run, before);
      const gone = await goneOf(run, [...undoneJobs(run.load.calls, [{ from, to }])]);
      if (endsReplicas) await Promise.all(replicas.map((replica) => replica.start()));
      else await restarted();
      await run.progress(JOBS);
      // In another order: each lane would get the id of another one.
      await fillLanes(run, lanes.slice(LANES / 2));
      await fillLanes(run, lanes.slice(0, LANES / 2));
      await requireEvents(run, to);
      return require(gone > 0 && open > 0, `${gone} accepted jobs gone, ${open} ended jobs open again`);
    },
  };
}

/** A job in each lane through each replica. @throws if one is in another lane. */
async function fillLanes(run: Run, queues: readonly string[]): Promise<void> {
  for (const { proxy } of run.deployment.replicas) {
    const client = run.load.client(`127.0.0.1:${proxy.port}`);
    try {
      const jobs = await run.load.submitMany(
        client,
        queues.map((queue) => ({ definition: 'quick', queue })),
      );
      const text =
        'SELECT job_id, queue FROM muster.jobs JOIN muster.lanes USING (lane_id) WHERE job_id = ANY($1::uuid[])';
      const rows = await run.facts.query<{ job_id: string; queue: string }>(text, [jobs]);
      const found = new Map(rows.map(({ job_id: job, queue }) => [job, queue]));
      const wrong = jobs.filter((job, n) => found.get(job) !== queues[n]);
      if (wrong.length > 0) throw new Error(`${wrong.length} of ${jobs.length} jobs are in another lane: ${wrong[0]}`);
    } finally {
      client.close();
    }
  }
}

async function endedJobs({ facts }: Run): Promise<readonly string[]> {
  const rows = await facts.query<{ job_id: string }>('SELECT job_id FROM muster.job_outcomes');
  return rows.map(({ job_id: job }) => job);
}

const countOf = async ({ facts }: Run, text: string, jobs: readonly string[]) =>
  (await facts.query<{ n: number }>(text, [jobs]))[0]?.n ?? 0;

const openOf = (run: Run, jobs: readonly string[]) =>
  countOf(run, 'SELECT count(*)::int AS n FROM muster.job_runs WHERE job_id = ANY($1::uuid[])', jobs);

const goneOf = (run: Run, jobs: readonly string[]) =>
  countOf(
    run,
    `SELECT count(*)::int AS n FROM unnest($1::uuid[]) AS job
     WHERE NOT EXISTS (SELECT FROM muster.jobs WHERE job_id = job)`,
    jobs,
  );

/** Jobs that ended since then are published, whatever the stream has had before. */
async function requireEvents(run: Run, since: number): Promise<void> {
  const rows = await run.facts.query<{ job_id: string }>(
    `SELECT job_id FROM muster.jobs JOIN muster.job_outcomes USING (job_id) JOIN muster.lanes USING (lane_id)
     WHERE namespace = 'default' AND end_time > to_timestamp($1::float8 / 1000) ORDER BY end_time LIMIT ${MAX_READ}`,
    [since],
  );
  const lacking = new Set(rows.map(({ job_id: job }) => job));
  const client = new Client({ address: run.deployment.address });
  const over = new AbortController();
  const read = async () => {
    for await (const { events } of client.watchEvents({ after: 0n, signal: over.signal }))
      for (const { jobId, state, eventTime } of events)
        if (isTerminal(state) && Number(eventTime?.seconds ?? 0n) * 1_000 + 999 > since) lacking.delete(jobId);
  };
  let failure: unknown;
  const reading = read().catch((error: unknown) => {
    if (!over.signal.aborted) failure = error;
  });
  const areRead = () => failure !== undefined || lacking.size === 0;
  try {
    await eventually('all ends since the restore are published', areRead, { timeoutMs: EVENTS_MS }).catch(() => {
      throw new Error(
        `${lacking.size} of ${rows.length} ends since the restore have no event, such as ${[...lacking][0]}`,
      );
    });
    if (failure !== undefined) throw failure;
  } finally {
    over.abort();
    await reading;
    client.close();
  }
}

export const restoreFaults: readonly Fault[] = [
  backupRestored('backup restored while all replicas are away', true),
  backupRestored('backup restored under running replicas', false),
];
