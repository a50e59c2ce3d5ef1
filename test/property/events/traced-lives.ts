/** Lives of jobs for traces: waits and attempts one after the other, and the current state or the end. */
import fc from 'fast-check';
import type { SpanChange } from '../../../server/domain/events/closed-spans.ts';
import type { TracedAttempt, TracedJob } from '../../../server/domain/events/job-spans.ts';
import { isTerminal, type JobState } from '../../../server/domain/jobs/job-state.ts';
import { type AttemptOutcome, attemptOutcomes } from '../../../server/domain/jobs/run.ts';
import { NOON_US, SESSION_ID } from '../base/arbitraries.ts';

export const JOB_ID = '0198c0de-0000-7000-8000-000000000001';
export const CALLER = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

const span = fc.integer({ min: 0, max: 1e9 });
const closed = fc.record({
  waitedUs: span,
  tookUs: span,
  skips: fc.integer({ min: 0, max: 2 }),
  outcome: fc.constantFrom(...(Object.keys(attemptOutcomes) as AttemptOutcome[])),
});
const life = fc.record({
  closed: fc.array(closed, { maxLength: 6 }),
  /** The state after the attempts: the job waits, runs, ended with the last attempt, or ended later. */
  now: fc.constantFrom('waits', 'runs', 'ended', 'endedWaiting'),
  restUs: span.filter((us) => us > 0),
  traceparent: fc.constantFrom('', CALLER),
  retryOf: fc.constantFrom(undefined, { jobId: JOB_ID.replace('1', '2'), traceparent: '' }),
  cached: fc.array(fc.constant({ jobId: JOB_ID.replace('1', '3'), traceparent: CALLER }), { maxLength: 2 }),
});

type Life = typeof life extends fc.Arbitrary<infer T> ? T : never;

function stateOf({ now, closed: attempts }: Life): JobState {
  if (now === 'waits') return 'SCHEDULED';
  if (now === 'runs') return 'RUNNING';
  if (now === 'endedWaiting') return 'CANCELLED';
  return attempts.at(-1)?.outcome === 'SUCCEEDED' ? 'SUCCEEDED' : 'FAILED';
}

function jobOf(one: Life): TracedJob {
  let timeUs = NOON_US;
  let number = 0;
  const attempts: TracedAttempt[] = [];
  const common = { sessionId: SESSION_ID, workerName: 'w', errorType: '' };
  for (const { waitedUs, tookUs, skips, outcome } of one.closed) {
    number += 1 + skips;
    const assignTimeUs = timeUs + waitedUs;
    timeUs = assignTimeUs + tookUs;
    attempts.push({ ...common, attempt: number, outcome, counted: true, assignTimeUs, endTimeUs: timeUs });
  }
  const state = stateOf(one);
  if (one.now === 'runs') {
    const open = { outcome: undefined, counted: false, assignTimeUs: timeUs + one.restUs, endTimeUs: undefined };
    attempts.push({ ...common, ...open, attempt: number + 1 });
  }
  const endTimeUs = one.now === 'endedWaiting' ? timeUs + one.restUs : timeUs;
  return {
    jobId: JOB_ID,
    traceparent: one.traceparent,
    namespace: 'default',
    definition: 'add',
    definitionVersion: 1,
    queue: 'default',
    state,
    createTimeUs: NOON_US,
    endTimeUs: isTerminal(state) ? endTimeUs : undefined,
    errorType: '',
    attempts,
    retryOf: one.retryOf,
    cached: one.cached,
  };
}

/** A job that ended with an attempt had at least one. */
const lives = life.filter((one) => one.now !== 'ended' || one.closed.length > 0);

export const tracedJob = lives.map(jobOf);

/** A job with all its published changes. */
export const changedJob = lives.map((one) => ({ job: jobOf(one), changes: changesOf(jobOf(one)) }));

function changesOf({ attempts, state, endTimeUs }: TracedJob): SpanChange[] {
  const ended = isTerminal(state);
  const closed = attempts.filter((attempt) => attempt.outcome !== undefined);
  const changes: SpanChange[] = [{ attempt: 0, previousState: undefined, state: 'READY' }];
  for (const { attempt } of closed) changes.push({ attempt, previousState: 'RUNNING', state: 'SCHEDULED' });
  const last = closed.at(-1);
  if (ended && last?.endTimeUs === endTimeUs)
    changes[changes.length - 1] = { attempt: last?.attempt ?? 0, previousState: 'ASSIGNED', state };
  else if (ended) changes.push({ attempt: last?.attempt ?? 0, previousState: 'SCHEDULED', state });
  return changes;
}
