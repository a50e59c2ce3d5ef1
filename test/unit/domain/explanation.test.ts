/** The texts of an explanation, and the estimate of a start when no rate is known. */
import { describe, expect, it } from 'vitest';
import { systemFailure } from '../../../server/domain/base/payload.ts';
import { type Constraint, noBlockers } from '../../../server/domain/explain/constraint.ts';
import { type Facts, startEstimateOf, summaryOf } from '../../../server/domain/explain/explanation.ts';
import type { JobState } from '../../../server/domain/jobs/job-state.ts';
import type { Progress } from '../../../server/domain/jobs/progress.ts';

const NOON_US = Date.UTC(2026, 2, 1, 12) * 1_000;
const minute = 60_000_000;
const constraint = (reason: Constraint['reason'], rest: Partial<Constraint> = {}): Constraint => ({
  reason,
  message: `because of ${reason}`,
  blockers: noBlockers,
  nextStep: 'wait',
  ...rest,
});
const place = { place: 3, isLeast: false };
const recent = { starts: 90, windowUs: 90_000_000 };
const nothing = { starts: 0, windowUs: 90_000_000 };

describe('the estimate of a start', () => {
  it('is a range when only the queue delays the job', () => {
    const found = startEstimateOf([constraint('IN_LINE')], place, recent, NOON_US);
    expect(found.earliestUs).toBeGreaterThan(NOON_US);
    expect(found.latestUs).toBeGreaterThan(found.earliestUs ?? 0);
    expect(found.basis).toMatch(/^it is likely to start between \S+Z and \S+Z: 90 of the jobs .* in the last 90 s$/);
  });

  it('is no earlier than the rate limit allows', () => {
    const openTimeUs = NOON_US + 10 * minute;
    const found = startEstimateOf([constraint('QUEUE_LIMIT', { openTimeUs })], place, recent, NOON_US);
    expect([found.earliestUs, found.latestUs]).toEqual([openTimeUs, openTimeUs]);
  });

  it.each(['JOB_PAUSED', 'QUEUE_PAUSED', 'KEY_LIMIT', 'NO_WORKER', 'SUSPECT'] as const)(
    'does not exist while %s blocks the job',
    (reason) => {
      const found = startEstimateOf([constraint(reason), constraint('IN_LINE')], place, recent, NOON_US);
      expect([found.earliestUs, found.latestUs]).toEqual([undefined, undefined]);
      expect(found.basis).toMatch(/^when it starts is not known: that depends on /);
    },
  );

  it("gives the time of a circuit breaker's probe, and says that nothing is known beyond it", () => {
    const openTimeUs = NOON_US + minute;
    const found = startEstimateOf([constraint('CIRCUIT_BREAKER', { openTimeUs })], place, recent, NOON_US);
    expect([found.earliestUs, found.latestUs]).toEqual([openTimeUs, undefined]);
    expect(found.basis).toMatch(
      /^it starts at \S+Z at the earliest; how long after that is not known: that depends on/,
    );
  });

  it('ends when other workers may take a job that now waits for a preferred one', () => {
    const out = constraint('IN_LINE', { openTimeUs: NOON_US + 3, mayOpenSooner: true });
    expect(startEstimateOf([out], { place: 1, isLeast: false }, nothing, NOON_US)).toMatchObject({
      earliestUs: NOON_US,
      latestUs: NOON_US + 3,
      basis: 'it is likely to start by about 2026-03-01T12:00:00Z',
    });
    const both = startEstimateOf([constraint('KEY_LIMIT'), out], place, recent, NOON_US);
    expect([both.earliestUs, both.latestUs]).toEqual([undefined, undefined]);
  });

  it('is never in the past', () => {
    const found = startEstimateOf([constraint('DELAY', { openTimeUs: NOON_US - 1 })], undefined, undefined, NOON_US);
    expect(found.earliestUs).toBe(NOON_US);
  });

  it('says when nothing started recently, and when many jobs are ahead', () => {
    expect(startEstimateOf([], place, nothing, NOON_US)).toMatchObject({
      earliestUs: undefined,
      basis: 'when it starts is not known: none of the jobs that count for its place was started in the last 90 s',
    });
    const least = startEstimateOf([], { place: 1_001, isLeast: true }, recent, NOON_US);
    expect(least.latestUs).toBeUndefined();
    expect(least.basis).toMatch(/^it is not likely to start before \S+Z: 90 of the jobs/);
  });
});

const job: Facts['job'] = {
  jobId: 'j',
  definition: 'resize',
  definitionVersion: 3,
  queue: 'images',
  state: 'READY',
  reason: '',
  suspendTimeUs: undefined,
  softDeadlineUs: undefined,
  softDeadlineMissUs: undefined,
  sinceUs: NOON_US,
  failure: undefined,
  attempt: 0,
  sessionId: undefined,
  workerName: '',
};
const waiting: Facts = {
  job,
  constraints: [],
  place: { place: 1, isLeast: false },
  estimate: undefined,
  running: undefined,
  workflow: undefined,
};
const name = 'Job j of definition resize version 3';

describe('what a running handler reports', () => {
  const counts = {
    done: 400,
    total: 1_000,
    unit: 'rows',
    timeUs: NOON_US,
    first: { done: 0, timeUs: NOON_US - 4_000_000 },
  };
  const summaryWith = (progress: Progress, state: JobState = 'RUNNING', beatTimeUs = NOON_US) =>
    summaryOf({
      ...waiting,
      job: { ...job, state },
      running: { attempt: 1, sessionId: 's', workerName: 'w', assignTimeUs: NOON_US, beatTimeUs, progress },
    });

  it.each([
    [{ fraction: 0.4, message: '' }, 'The handler says that it is 40 % done.'],
    [{ fraction: 0.4, message: 'copying' }, 'The handler says that it is 40 % done: copying.'],
    [{ fraction: 0, message: '', counts: { ...counts, total: undefined } }, 'says that it has done 400 rows.'],
    [{ fraction: 0.4, message: '', counts: { ...counts, unit: '' } }, 'has done 400 of 1000, 40 %. At its pace'],
    [
      { fraction: 0.4, message: 'copying', counts },
      'has done 400 of 1000 rows, 40 %: copying. At its pace so far it is done at 2026-03-01T12:00:06Z.',
    ],
  ])('%j is said as %j', (progress, text) => {
    expect(summaryWith(progress)).toContain(text);
  });

  it('has no end that is past, nor one if it was asked to stop', () => {
    const progress = { fraction: 0.4, message: '', counts };
    expect(summaryWith(progress, 'CANCELLING')).not.toContain('At its pace');
    expect(summaryWith(progress, 'RUNNING', NOON_US + 7_000_000)).not.toContain('At its pace');
  });
});

describe('the summary', () => {
  it('says that nothing blocks a job that is next', () => {
    expect(summaryOf(waiting)).toBe(
      `${name} has been READY in queue images since 2026-03-01T12:00:00Z: nothing holds it back, it starts as soon as a ` +
        'worker asks. Its place in line is 1.',
    );
  });

  it('names every blocking constraint, in order, with its start', () => {
    const constraints = [
      constraint('QUEUE_PAUSED', { message: 'queue images is paused: why?', sinceUs: NOON_US }),
      constraint('NO_WORKER'),
      constraint('IN_LINE'),
    ];
    expect(summaryOf({ ...waiting, constraints, place: { place: 1_001, isLeast: true } })).toBe(
      `${name} has been READY in queue images since 2026-03-01T12:00:00Z: queue images is paused: why? (since ` +
        '2026-03-01T12:00:00Z). Besides, because of NO_WORKER. And, because of IN_LINE. Its place in line is 1001 or later.',
    );
  });

  it('says how a job ended: at a worker, between attempts, or before any', () => {
    const failure = systemFailure('APPLICATION', 'Oops', 'it broke.');
    const ended = (changes: Partial<Facts['job']>) =>
      summaryOf({ ...waiting, job: { ...job, state: 'FAILED', failure, ...changes } });
    const when = `${name} ended FAILED at 2026-03-01T12:00:00Z`;
    expect(ended({ attempt: 2, sessionId: 's', workerName: 'w' })).toBe(
      `${when}, in attempt 2 at worker w: Oops: it broke.`,
    );
    expect(ended({ attempt: 2 })).toBe(`${when}, after attempt 2: Oops: it broke.`);
    expect(ended({})).toBe(`${when}, before any attempt: Oops: it broke.`);
  });
});
