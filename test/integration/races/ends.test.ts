/** Races of a total timeout and a result, of two reports of one attempt, and of a manual retry and an erasure. */

import { CancelStage } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import type { Assignment } from '@muster-jobs/sdk/gen/muster/worker/v1/assignment_pb';
import { describe, expect, it } from 'vitest';
import { durationFromMs } from '../../../sdk/typescript/src/duration.ts';
import { eventually } from '../../support/base/eventually.ts';
import { databaseKinds } from '../../support/databases/databases.ts';
import { type Outcome, outcomes, type TestWorker } from '../api/base/test-worker.ts';
import { stateName } from '../api/base/world.ts';
import { type Arena, answerOf, jobIdOf, meet, shuffled, tally, useArena } from './arena.ts';

const JOBS = 100;
const { cancelJob, retryJob, eraseJob } = JobService.method;
const TIMEOUT = { timeout: 240_000 };
type Answers = [Map<string, string>, Map<string, string>];
const INPUT = 'what a person has written';

function reportsOf(
  worker: TestWorker,
  attempts: readonly Assignment[],
  outcome: Outcome,
): (() => Promise<[string, string]>)[] {
  return shuffled(attempts).map((of) => async () => {
    const [result = ''] = await worker.report({ of, outcome });
    return [jobIdOf(of), result];
  });
}

async function reportEach(worker: TestWorker, attempts: readonly Assignment[], outcome: Outcome) {
  return new Map(await Promise.all(reportsOf(worker, attempts, outcome).map((report) => report())));
}

/** Running jobs, of which every five end a little later than the five before. */
async function runningJobs(arena: Arena, worker: TestWorker, definition: string): Promise<Assignment[]> {
  for (let i = 0; i < JOBS / 5; i++) await arena.submit(definition, 5);
  const attempts = await worker.take(JOBS);
  await worker.started(...attempts);
  return attempts;
}

/** Reports all results from the moment at which the first job has run out of time. Returns the final states. */
async function raceDeadlines(arena: Arena, totalMs: number): Promise<string[]> {
  const definition = await arena.world.define({ totalTimeout: durationFromMs(totalMs) });
  const worker = await arena.openWorker(definition);
  await worker.becomeReachable();
  const attempts = await runningJobs(arena, worker, definition);
  const jobIds = attempts.map(jobIdOf).sort();
  await eventually(
    'the first has run out of time',
    async () => (await arena.world.stateOf(jobIds[0] as string)) === 'FAILED',
  );
  const reported = await reportEach(worker, attempts, outcomes.result('done'));
  await eventually('all have ended', async () => (await arena.read(jobIds)).every((job) => job.endTime));
  return (await arena.read(jobIds)).map((job) => {
    const [state, report] = [stateName(job.state), reported.get(job.jobId)];
    expect({ state, report }).toEqual(
      report === 'ACCEPTED' ? { state: 'SUCCEEDED', report } : { state: 'FAILED', report: 'LEASE_LOST' },
    );
    if (state === 'FAILED') expect(job.outcome.case === 'failure' && job.outcome.value.type).toBe('TotalTimeout');
    return state;
  });
}

describe.each(databaseKinds)('a race of two ends of a job on %s', (kind) => {
  const held = useArena(kind);

  it('of a total timeout and a result ends each job once', TIMEOUT, async () => {
    const { arena } = held;
    const counts: Record<string, number> = {};
    let raced = 0;
    // The deadlines differ as the submissions do. On a machine of any speed there is a round in which the results
    // arrive when some deadlines have passed and others have not.
    for (
      let round = 0, totalMs = 4_000;
      raced < 2 * JOBS || !counts.SUCCEEDED || !counts.FAILED;
      round++, totalMs *= 2
    ) {
      expect(round, `after ${JSON.stringify(counts)}`).toBeLessThan(6);
      const states = await raceDeadlines(arena, totalMs);
      raced += states.length;
      for (const state of states) counts[state] = (counts[state] ?? 0) + 1;
    }
    console.log(`${kind}: ${JSON.stringify(counts)}`);
    expect(Object.keys(counts).sort()).toEqual(['FAILED', 'SUCCEEDED']);
  });

  it('of a confirmed cancel and a result lets one of the two reports close the attempt', TIMEOUT, async () => {
    const { arena } = held;
    const definition = await arena.world.define();
    const worker = await arena.openWorker(definition);
    const states: string[] = [];
    // Which of the two is quicker differs by machine: the first one gets a growing head start until both have won.
    for (let round = 0; round < 3 || new Set(states).size < 2; round++) {
      expect(round, `after ${JSON.stringify(tally(states))}`).toBeLessThan(8);
      const resultsAreFirst = round % 3 === 0;
      const head = round < 2 ? 0 : 15 * round;
      const jobIds = await arena.submit(definition, JOBS);
      const attempts = await worker.take(JOBS);
      await Promise.all(jobIds.map((jobId) => arena.people.call(cancelJob, { jobId })));
      const results = reportsOf(worker, attempts, outcomes.result('done'));
      const confirms = reportsOf(worker, attempts, outcomes.cancelled);
      const [first, second] = resultsAreFirst ? [results, confirms] : [confirms, results];
      const [one, two] = await meet(first, () => Promise.all(second.map((report) => report())), head);
      const [result, confirmed] = (resultsAreFirst ? [one, two] : [two, one]).map((list) => new Map(list)) as Answers;
      for (const job of await arena.read(jobIds)) {
        const state = stateName(job.state);
        expect([result.get(job.jobId), confirmed.get(job.jobId), state, job.cancellation?.stage]).toEqual(
          state === 'SUCCEEDED'
            ? ['ACCEPTED', 'LEASE_LOST', 'SUCCEEDED', CancelStage.OVERTAKEN]
            : ['LEASE_LOST', 'ACCEPTED', 'CANCELLED', CancelStage.STOPPED],
        );
        states.push(state);
      }
    }
    console.log(`${kind}: ${JSON.stringify(tally(states))}`);
  });

  it('of a manual retry and an erasure creates a job with all of the input, or none', TIMEOUT, async () => {
    const { arena } = held;
    const definition = await arena.world.define();
    const input = { data: Buffer.from(INPUT), contentType: 'text/plain' };
    const jobIds = await arena.submit(definition, 2 * JOBS, { input });
    await Promise.all(jobIds.map((jobId) => arena.people.call(cancelJob, { jobId })));
    const retried = new Map<string, string>();
    const made: string[] = [];
    const retry = async (jobId: string) => {
      const call = arena.world.rpc.call(retryJob, { jobId });
      retried.set(jobId, await answerOf(call));
      const { job } = await call.catch(() => ({ job: undefined }));
      if (job) made.push(job.jobId);
    };
    const erase = async (jobId: string) => {
      await arena.people.call(eraseJob, { jobId, reason: 'asked for' });
    };
    for (const [i, head] of [0, 10, 0, 10].entries()) {
      const some = jobIds.slice((i * JOBS) / 2, ((i + 1) * JOBS) / 2);
      const retries = some.map((jobId) => () => retry(jobId));
      const erasings = shuffled(some).map((jobId) => () => erase(jobId));
      const [first, second] = i < 2 ? [retries, erasings] : [erasings, retries];
      await meet(first, () => Promise.all(second.map((call) => call())), head);
    }
    const counts = tally([...retried.values()]);
    console.log(`${kind}: ${JSON.stringify(counts)}`);
    expect(Object.keys(counts).sort()).toEqual(['JOB_ERASED', 'READY']);
    for (const job of await arena.read(made)) {
      expect(Buffer.from(job.input?.data ?? []).toString()).toBe(INPUT);
      expect(jobIds).toContain(job.retryOf);
    }
    for (const job of await arena.read(jobIds))
      expect([job.erased, job.input?.data.length, stateName(job.state)]).toEqual([true, 0, 'CANCELLED']);
  });
});
