/**
 * A thousand jobs are cancelled at the instant in which their results arrive, with a grace so short that it ends
 * meanwhile. Each ends once, SUCCEEDED or CANCELLED, and every answer agrees with that.
 */

import { CancelStage, type Job } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import type { Assignment } from '@muster-jobs/sdk/gen/muster/worker/v1/assignment_pb';
import { describe, expect, it } from 'vitest';
import { durationFromMs } from '../../../sdk/typescript/src/duration.ts';
import { eventually } from '../../support/base/eventually.ts';
import { databaseKinds } from '../../support/databases/databases.ts';
import { outcomes, type TestWorker } from '../api/base/test-worker.ts';
import { stateName } from '../api/base/world.ts';
import { type Arena, answerOf, jobIdOf, meet, shuffled, tally, useArena } from './arena.ts';

const ROUNDS = 10;
const JOBS = 100;
const REPORTS_PER_CALL = 10;
/** The number of answered cancels after which the results are sent. */
const heads = [0, 1, 20, 40, 60];
const { cancelJob, cancelJobs } = JobService.method;

interface Race {
  readonly jobIds: readonly string[];
  /** Result of each job's report. */
  readonly reported: ReadonlyMap<string, string>;
  /** Answer of each job's CancelJob; empty if all were cancelled by one filter. */
  readonly cancelled: ReadonlyMap<string, string>;
}

async function report(worker: TestWorker, attempts: readonly Assignment[]): Promise<[string, string][]> {
  const calls: Promise<[string, string][]>[] = [];
  for (let at = 0; at < attempts.length; at += REPORTS_PER_CALL) {
    const some = attempts.slice(at, at + REPORTS_PER_CALL);
    const results = worker.report(...some.map((of) => ({ of, outcome: outcomes.result('done') })));
    calls.push(results.then((list) => some.map((of, i) => [jobIdOf(of), list[i] as string])));
  }
  return (await Promise.all(calls)).flat();
}

function cancelsOf(arena: Arena, jobIds: readonly string[]): (() => Promise<[string, string]>)[] {
  return jobIds.map((jobId) => async () => [jobId, await answerOf(arena.people.call(cancelJob, { jobId }))]);
}

/** Half of the attempts have been seen running. Every fourth round cancels all of them by a filter. */
async function race(arena: Arena, worker: TestWorker, definition: string, round: number): Promise<Race> {
  const batch = String(round);
  const jobIds = await arena.submit(definition, JOBS, { labels: { batch } });
  const attempts = await worker.take(JOBS);
  if (round % 2 === 0) await worker.started(...attempts.slice(0, JOBS / 2));
  const results = () => report(worker, shuffled(attempts));
  if (round % 4 === 3) {
    const cancel = () => arena.people.call(cancelJobs, { filter: { labels: { batch } } });
    const [, reported] = await meet([cancel], results, round % 8 === 3 ? 0 : 1);
    return { jobIds, reported: new Map(reported), cancelled: new Map() };
  }
  const head = heads[round % heads.length] as number;
  const [cancelled, reported] = await meet(cancelsOf(arena, shuffled(jobIds)), results, head);
  return { jobIds, reported: new Map(reported), cancelled: new Map(cancelled) };
}

/** Each answer must agree with the outcome of the job. */
function judge(job: Job, { reported, cancelled }: Race): string {
  const state = stateName(job.state);
  const stage = job.cancellation?.stage ?? CancelStage.UNSPECIFIED;
  const report = reported.get(job.jobId);
  expect({ state, report }).toEqual({ state, report: state === 'SUCCEEDED' ? 'ACCEPTED' : 'LEASE_LOST' });
  const answer = cancelled.get(job.jobId);
  const fitting = state === 'SUCCEEDED' ? ['CANCELLING', 'SUCCEEDED', 'JOB_ENDED'] : ['CANCELLING', 'CANCELLED'];
  if (answer !== undefined) expect(fitting, `${job.jobId} ended ${state}`).toContain(answer);
  // A cancel that is refused has left no trace.
  if (answer !== undefined && state === 'SUCCEEDED')
    expect(stage).toBe(answer === 'JOB_ENDED' ? CancelStage.UNSPECIFIED : CancelStage.OVERTAKEN);
  if (state === 'CANCELLED') expect(stage).toBe(CancelStage.FENCED);
  return state;
}

describe.each(databaseKinds)('a race of cancel and complete on %s', (kind) => {
  const held = useArena(kind);

  it('ends each of a thousand jobs once, as every caller was answered', { timeout: 300_000 }, async () => {
    const { arena } = held;
    const definition = await arena.world.define({ cancelGrace: durationFromMs(1) });
    const worker = await arena.openWorker(definition);
    const states: string[] = [];
    const all: string[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const made = await race(arena, worker, definition, round);
      await eventually('all have ended', async () => (await arena.read(made.jobIds)).every((job) => job.endTime));
      const jobs = await arena.read(made.jobIds);
      states.push(...jobs.map((job) => judge(job, made)));
      all.push(...made.jobIds);
      await askAgain(arena, worker, jobs.slice(0, REPORTS_PER_CALL));
      // The outcome stays the same.
      expect((await arena.read(made.jobIds)).map(({ state, revision }) => [state, revision])).toEqual(
        jobs.map(({ state, revision }) => [state, revision]),
      );
    }
    const counts = tally(states);
    console.log(`${kind}: ${JSON.stringify(counts)}`);
    expect(Object.keys(counts).sort()).toEqual(['CANCELLED', 'SUCCEEDED']);
    expect(all).toHaveLength(ROUNDS * JOBS);
    const rows = await arena.countRows(all);
    if (kind === 'PostgreSQL') expect(rows).toEqual({ outcomes: ROUNDS * JOBS, runs: 0 });
  });
});

/** Late repeats of both calls change nothing, and return what the first ones did. */
async function askAgain(arena: Arena, worker: TestWorker, jobs: readonly Job[]): Promise<void> {
  const attempts = worker.assigned.filter((one) => jobs.some((job) => job.jobId === jobIdOf(one)));
  const again = new Map(await report(worker, attempts));
  const cancels = cancelsOf(
    arena,
    jobs.map((job) => job.jobId),
  );
  const cancelled = new Map(await Promise.all(cancels.map((cancel) => cancel())));
  for (const { jobId, state } of jobs) {
    const succeeded = stateName(state) === 'SUCCEEDED';
    expect(again.get(jobId)).toBe(succeeded ? 'DUPLICATE' : 'LEASE_LOST');
    expect(cancelled.get(jobId)).toBe(succeeded ? 'JOB_ENDED' : 'CANCELLED');
  }
}
