/** The spans of a job: one tree without gaps and overlaps, whatever its life was like. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jobSpans, type TracedAttempt, type TracedJob } from '../../server/domain/job-spans.ts';
import { isTerminal, type JobState } from '../../server/domain/job-state.ts';
import { type AttemptOutcome, attemptOutcomes } from '../../server/domain/run.ts';
import { spanIdOf } from '../../server/domain/trace.ts';
import { NOON_US, SESSION_ID } from './arbitraries.ts';

const JOB_ID = '0198c0de-0000-7000-8000-000000000001';
const CALLER = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

const span = fc.integer({ min: 0, max: 1e9 });
const closed = fc.record({
  waitedUs: span,
  tookUs: span,
  skips: fc.integer({ min: 0, max: 2 }),
  outcome: fc.constantFrom(...(Object.keys(attemptOutcomes) as AttemptOutcome[])),
});
const life = fc.record({
  closed: fc.array(closed, { maxLength: 6 }),
  /** How it stands after those: it waits, it is being tried, it ended with the last of them, or some time after. */
  now: fc.constantFrom('waits', 'runs', 'ended', 'endedWaiting'),
  restUs: span.filter((us) => us > 0),
  traceparent: fc.constantFrom('', CALLER),
  retryOf: fc.constantFrom(undefined, { jobId: JOB_ID.replace('1', '2'), traceparent: '' }),
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
  };
}

/** A job that has ended by an attempt had one. */
const job = life.filter((one) => one.now !== 'ended' || one.closed.length > 0).map(jobOf);

describe('the spans of a job', () => {
  it('are one tree: under the caller, or alone, with an id for each', () => {
    fc.assert(
      fc.property(job, (one) => {
        const [root, ...parts] = jobSpans(one);
        expect(root).toMatchObject({ phase: 'job', spanId: spanIdOf(JOB_ID, 0, 'job'), startTimeUs: NOON_US });
        expect(root?.parentSpanId).toBe(one.traceparent === '' ? undefined : 'b7ad6b7169203331');
        for (const part of parts) expect([part.traceId, part.parentSpanId]).toEqual([root?.traceId, root?.spanId]);
        expect(new Set([root, ...parts].map((each) => each?.spanId)).size).toBe(parts.length + 1);
      }),
    );
  });

  it('tell the whole time of the job, each part once', () => {
    fc.assert(
      fc.property(job, (one) => {
        const numbered = one.attempts.every(({ attempt }, at) => attempt === at + 1);
        const [root, ...parts] = jobSpans(one);
        // Nobody knows what became of the numbers before the first one that is on record.
        let untilUs: number | undefined =
          numbered || one.attempts[0]?.attempt === 1 || parts[0]?.phase === 'wait' ? NOON_US : parts[0]?.startTimeUs;
        for (const part of parts) {
          expect(part.startTimeUs).toBe(untilUs);
          untilUs = part.endTimeUs;
        }
        expect(untilUs).toBe(root?.endTimeUs);
        expect(parts.filter((part) => part.endTimeUs === undefined).length).toBe(isTerminal(one.state) ? 0 : 1);
      }),
    );
  });

  it('link each attempt to the one before it, and the job to the one that it retries', () => {
    fc.assert(
      fc.property(job, (one) => {
        const [root, ...parts] = jobSpans(one);
        const attempts = parts.filter(({ phase }) => phase === 'attempt');
        expect(attempts.map(({ attempt }) => attempt)).toEqual(one.attempts.map(({ attempt }) => attempt));
        attempts.forEach(({ links }, at) => {
          const before = attempts[at - 1];
          expect(links.map(({ spanId }) => spanId)).toEqual(before ? [before.spanId] : []);
        });
        expect(root?.links.length).toBe(one.retryOf ? 1 : 0);
      }),
    );
  });

  it('say that they failed, and why, where they did', () => {
    fc.assert(
      fc.property(job, (one) => {
        for (const { failed, attributes, phase } of jobSpans(one)) {
          expect('error.type' in attributes).toBe(failed);
          const outcome = attributes['muster.attempt.outcome'];
          if (phase === 'attempt')
            expect(failed).toBe(!['SUCCEEDED', 'CANCELLED', 'RELEASED', undefined].includes(outcome as string));
        }
      }),
    );
  });
});
