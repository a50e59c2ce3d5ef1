/**
 * Pauses and updates against claims, resumes against expiries: the first one decides, and the other gets a matching
 * answer.
 */
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { describe, expect, it } from 'vitest';
import { eventually } from '../../support/base/eventually.ts';
import { databaseKinds } from '../../support/databases/databases.ts';
import { outcomes, type TestWorker } from '../api/base/test-worker.ts';
import { stateName } from '../api/base/world.ts';
import { type Arena, answerOf, jobIdOf, shuffled, tally, useArena } from './arena.ts';

const JOBS = 50;
/** Concurrent calls: if all came at once, one statement would answer them. */
const ASKING = 4;
/**
 * The number of answers before slots are offered, by round; undefined: the calls start once a job is assigned. So both
 * answers occur on a machine of any speed, and in between they race.
 */
const HEADS = [0, 1, 5, 10, JOBS / 2, undefined];
const HOUR_MS = 3_600_000;
const { pauseJob, resumeJob, updateJob } = JobService.method;
const TIMEOUT = { timeout: 240_000 };

type Ask = (arena: Arena, jobId: string) => Promise<string>;

/** Offers slots for all of them, while calls about them are made, a few at a time. Returns the answer to each. */
async function claimAgainst(arena: Arena, worker: TestWorker, jobIds: readonly string[], ask: Ask, head?: number) {
  const answers = new Map<string, string>();
  const offer = async () => {
    await eventually(`${head} questions are answered`, () => answers.size >= (head ?? 0), { everyMs: 1 });
    await worker.offer(JOBS);
    if (head === undefined) await eventually('a job is assigned', () => assignedTo(worker).size > 0);
  };
  const offered = offer();
  if (head === undefined) await offered;
  const left = shuffled(jobIds);
  const askInTurn = async () => {
    for (let jobId = left.pop(); jobId !== undefined; jobId = left.pop()) answers.set(jobId, await ask(arena, jobId));
  };
  await Promise.all([offered, ...Array.from({ length: ASKING }, askInTurn)]);
  return answers;
}

/** Names of the jobs that were assigned to the worker. */
function assignedTo(worker: TestWorker): Set<string> {
  return new Set(worker.assigned.map(jobIdOf));
}

type After = (held: readonly string[], worker: TestWorker) => Promise<void>;

/**
 * Runs rounds of a call against claims. A job is assigned if and only if the answer says that the call was too late.
 */
async function raceClaims(arena: Arena, ask: Ask, holds: string, after: After): Promise<void> {
  const answered: string[] = [];
  for (const head of HEADS) {
    // A worker of its own, so that no slot is left from another round.
    const definition = await arena.world.define();
    const worker = await arena.openWorker(definition);
    await worker.becomeReachable();
    const jobIds = await arena.submit(definition, JOBS);
    const answers = await claimAgainst(arena, worker, jobIds, ask, head);
    const [held, late] = [holds, 'JOB_NOT_WAITING'].map((answer) => jobIds.filter((id) => answers.get(id) === answer));
    answered.push(...answers.values());
    await eventually('what was not held is assigned', () => late?.every((jobId) => assignedTo(worker).has(jobId)));
    await finish(worker, new Set(jobIds));
    expect(held?.filter((jobId) => assignedTo(worker).has(jobId))).toEqual([]);
    await after(held ?? [], worker);
  }
  const counts = tally(answered);
  console.log(JSON.stringify(counts));
  expect(Object.keys(counts).sort()).toEqual(['JOB_NOT_WAITING', holds].sort());
}

async function finish(worker: TestWorker, jobIds: ReadonlySet<string>): Promise<void> {
  const attempts = worker.assigned.filter((one) => jobIds.has(jobIdOf(one)));
  if (attempts.length === 0) return;
  const results = await worker.report(...attempts.map((of) => ({ of, outcome: outcomes.result() })));
  expect(new Set(results)).toEqual(new Set(['ACCEPTED']));
}

describe.each(databaseKinds)('a race on waiting jobs on %s', (kind) => {
  const held = useArena(kind);

  it('of a pause and a claim assigns no paused job before it is resumed', TIMEOUT, async () => {
    const { arena } = held;
    const ask: Ask = ({ people }, jobId) => answerOf(people.call(pauseJob, { jobId }));
    await raceClaims(arena, ask, 'PAUSED', async (paused, worker) => {
      for (const job of await arena.read(paused)) expect(stateName(job.state)).toBe('PAUSED');
      for (const jobId of paused) await arena.people.call(resumeJob, { jobId });
      // Some may use remaining slots.
      await worker.offer(paused.length);
      await eventually('what was resumed is assigned', () => paused.every((jobId) => assignedTo(worker).has(jobId)));
      await finish(worker, new Set(paused));
    });
  });

  it('of an update and a claim assigns no delayed job', TIMEOUT, async () => {
    const { arena } = held;
    const runTime = timestampFromMs(Date.now() + HOUR_MS);
    const ask: Ask = ({ people }, jobId) => answerOf(people.call(updateJob, { jobId, runTime }));
    await raceClaims(arena, ask, 'SCHEDULED', async (putOff) => {
      for (const job of await arena.read(putOff)) expect([stateName(job.state), job.attempt]).toEqual(['SCHEDULED', 0]);
    });
  });

  it('of a resume and an expiry runs a job or expires it, never both', TIMEOUT, async () => {
    const { arena } = held;
    const counts: Record<string, number> = {};
    let raced = 0;
    // The expiries lie further and further from each other until some jobs are resumed before theirs, on a machine of
    // any speed.
    for (let round = 0, gapMs = 10; raced < 200 || !counts.ASSIGNED || !counts.EXPIRED; round++, gapMs *= 2) {
      expect(round, `after ${JSON.stringify(counts)}`).toBeLessThan(8);
      const states = await raceExpiries(arena, gapMs);
      raced += states.length;
      for (const state of states) counts[state] = (counts[state] ?? 0) + 1;
    }
    console.log(`${kind}: ${JSON.stringify(counts)}`);
    expect(Object.keys(counts).sort()).toEqual(['ASSIGNED', 'EXPIRED']);
  });
});

/** Resumes paused jobs that expire one after another, from the first expiry on. Returns their states. */
async function raceExpiries(arena: Arena, gapMs: number): Promise<string[]> {
  // A worker of its own, so that no slot is left from another round.
  const definition = await arena.world.define();
  const worker = await arena.openWorker(definition);
  await worker.becomeReachable();
  const jobIds = await pausedJobs(arena, definition, 100, gapMs);
  await eventually('the first has expired', async () => (await arena.world.stateOf(jobIds[0] as string)) === 'EXPIRED');
  await worker.catchUp();
  await worker.offer(jobIds.length);
  const answers = new Map<string, string>();
  const ask = async (jobId: string) => answers.set(jobId, await answerOf(arena.people.call(resumeJob, { jobId })));
  await Promise.all(jobIds.map(ask));
  await eventually('each has expired or is assigned', async () =>
    (await arena.read(jobIds)).every((job) => job.endTime || job.attempt > 0),
  );
  await eventually('what is assigned has arrived', async () => {
    const attempted = (await arena.read(jobIds)).filter((job) => job.attempt > 0);
    return attempted.every((job) => assignedTo(worker).has(job.jobId));
  });
  const assigned = assignedTo(worker);
  const states = (await arena.read(jobIds)).map((job) => {
    const [state, isAssigned] = [stateName(job.state), assigned.has(job.jobId)];
    const fitting = isAssigned ? { state: 'ASSIGNED', attempt: 1 } : { state: 'EXPIRED', attempt: 0 };
    expect({ state, attempt: job.attempt }).toEqual(fitting);
    if (answers.get(job.jobId) === 'JOB_ENDED') expect(state).toBe('EXPIRED');
    return state;
  });
  await finish(worker, new Set(jobIds));
  return states;
}

/** Paused jobs that expire one after another. */
async function pausedJobs(arena: Arena, definition: string, count: number, gapMs: number): Promise<string[]> {
  const jobIds = await arena.submit(definition, count);
  const paused = await Promise.all(jobIds.map((jobId) => answerOf(arena.people.call(pauseJob, { jobId }))));
  expect(tally(paused)).toEqual({ PAUSED: count });
  const fromMs = Date.now() + 500;
  const expire = async (jobId: string, i: number) => {
    // On a slow machine its time may have come before it could be set.
    let answer = 'INVALID_FIELD';
    for (let lateMs = 0; answer === 'INVALID_FIELD'; lateMs += 500) {
      const expireTime = timestampFromMs(Math.max(fromMs + i * gapMs, Date.now()) + lateMs);
      answer = await answerOf(arena.people.call(updateJob, { jobId, expireTime }));
    }
    // EXPIRED: its time has come between the update and the read that answers it.
    expect(['PAUSED', 'EXPIRED', 'JOB_ENDED']).toContain(answer);
  };
  await Promise.all(jobIds.map(expire));
  return jobIds;
}
