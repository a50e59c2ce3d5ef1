/** Generators of the property tests: open jobs that satisfy the schema, retry policies, failures, names and labels. */
import fc from 'fast-check';
import type { Failure, FailureCause } from '../../../server/domain/base/payload.ts';
import { withOneMore } from '../../../server/domain/jobs/cause-counts.ts';
import { heldStates, isTerminal, type JobState, stateCodes } from '../../../server/domain/jobs/job-state.ts';
import type { Update } from '../../../server/domain/jobs/pause.ts';
import type { OpenRun, Suspension } from '../../../server/domain/jobs/run.ts';
import { noLimits, type RunLimits } from '../../../server/domain/jobs/time-limits.ts';
import type { RetryPolicy } from '../../../server/domain/retries/retry-policy.ts';
import {
  type RetryAction,
  type RetryCause,
  type RetryRule,
  retryCauses,
} from '../../../server/domain/retries/retry-rules.ts';

/** A fixed time in 2026, in microseconds. */
export const NOON_US = 1_795_000_000_000_000;
export const SESSION_ID = '0198c0de-0000-4000-8000-000000000001';
const DAY_MS = 86_400_000;

export const openStates = (Object.keys(stateCodes) as JobState[]).filter((state) => !isTerminal(state));

export function isHeld(state: JobState): boolean {
  return (heldStates as readonly string[]).includes(state);
}

/** Without rules, with exponential backoff. Within the bounds of the contract, mostly with extreme values. */
export const plainPolicy: fc.Arbitrary<RetryPolicy> = fc
  .record({
    maxAttempts: fc.integer({ min: 1, max: 1_000 }),
    minBackoffMs: fc.integer({ min: 1, max: 30 * DAY_MS }),
    more: fc.integer({ min: 0, max: 30 * DAY_MS }),
    multiplier: fc.double({ min: 1, max: 100, noNaN: true }),
    maxRetryDurationMs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 30 * DAY_MS })),
    nonRetryableTypes: fc.subarray(['ValueError', 'Gone', 'TypeError', 'RunTimeout']),
  })
  .map(({ more, ...policy }) => ({ ...policy, maxBackoffMs: Math.min(30 * DAY_MS, policy.minBackoffMs + more) }));

const failureTypes = ['ValueError', 'Gone', 'Error', 'RunTimeout', 'WorkerLost', ''];
const delayMs = fc.integer({ min: 0, max: 30 * DAY_MS });
const causes = Object.keys(retryCauses) as RetryCause[];

/** A rule with few different values, so that it often matches. */
export const retryRule: fc.Arbitrary<RetryRule> = fc.record(
  {
    types: fc.subarray(failureTypes, { minLength: 1, maxLength: 3 }),
    exitCodes: fc.subarray([1, 2, 3, 255], { minLength: 1 }),
    causes: fc.subarray(causes, { minLength: 1 }),
    action: fc.constantFrom<RetryAction>('RETRY', 'FAIL', 'IGNORE', 'PAUSE'),
    delayMs,
  },
  { requiredKeys: ['action'] },
);

export const limits: fc.Arbitrary<NonNullable<RetryPolicy['limits']>> = fc.record(
  Object.fromEntries(causes.map((cause) => [cause, fc.integer({ min: 1, max: 4 })])),
  { requiredKeys: [] },
);

const backoffKind = fc.oneof(
  fc.constantFrom({}, { backoff: 'LINEAR' as const }, { backoff: 'CONSTANT' as const }),
  fc.record({ backoff: fc.constant('LIST' as const), delaysMs: fc.array(delayMs, { minLength: 1, maxLength: 5 }) }),
);

/** A policy with any rules, limits and backoff. */
export const retryPolicy: fc.Arbitrary<RetryPolicy> = fc
  .tuple(
    plainPolicy,
    backoffKind,
    fc.constantFrom({}, { jitter: 'NONE' as const }),
    fc.record(
      {
        rules: fc.array(retryRule, { minLength: 1, maxLength: 4 }),
        limits,
        onExhaustion: fc.constant('PAUSE' as const),
      },
      { requiredKeys: [] },
    ),
  )
  .map((parts) => Object.assign({}, ...parts));

export const failure: fc.Arbitrary<Failure> = fc.record({
  type: fc.constantFrom(...failureTypes),
  message: fc.string({ maxLength: 20 }),
  stackTrace: fc.constant(''),
  failureCause: fc.constantFrom<FailureCause>('APPLICATION', 'TIMEOUT', 'INFRASTRUCTURE'),
  exitCode: fc.constantFrom(undefined, undefined, 1, 3, 255),
  nonRetryable: fc.boolean(),
  retryDelayMs: fc.option(fc.integer({ min: 0, max: 30 * DAY_MS }), { nil: undefined }),
});

/** From 0 up to, but not including, 1, as a random source gives. */
export const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

export const priority = fc.integer({ min: -100, max: 100 });

const times = {
  releasesAgoUs: fc.integer({ min: 0, max: 120_000_000 }),
  dueInUs: fc.integer({ min: -60_000_000, max: 60_000_000 }),
  expireInUs: fc.option(fc.integer({ min: -60_000_000, max: 60_000_000 }), { nil: null }),
  isPutOff: fc.boolean(),
  ageUs: fc.integer({ min: 0, max: 7 * DAY_MS * 1000 }),
  suspendInUs: fc.option(fc.integer({ min: -60_000_000, max: 60_000_000 }), { nil: null, freq: 1 }),
  isPause: fc.boolean(),
  isFamily: fc.boolean(),
  isWithParent: fc.boolean(),
  isExhausted: fc.boolean(),
  resumedAgoUs: fc.option(fc.integer({ min: 0, max: DAY_MS * 1000 }), { nil: null }),
};

/** Limits in the past, limits in the future, or none, with those of the attempt when it was seen running. */
export function runLimits(state: JobState): fc.Arbitrary<RunLimits> {
  const time = fc.option(fc.integer({ min: NOON_US - 60_000_000, max: NOON_US + 60_000_000 }), { nil: null, freq: 2 });
  const fraction = fc.double({ min: 0, max: 1, noNaN: true });
  if (state !== 'RUNNING' && state !== 'CANCELLING') return time.map((deadlineUs) => ({ ...noLimits, deadlineUs }));
  return fc.record({
    deadlineUs: time,
    runDeadlineUs: time,
    quietDeadlineUs: time,
    watchUntilUs: time,
    watchFraction: fraction,
    progressFraction: fc.option(fraction, { nil: null }),
  });
}

const counts = {
  attempt: fc.integer({ min: 1, max: 5_000 }),
  counted: fc.integer({ min: 0, max: 5_000 }),
  consecutiveLosses: fc.integer({ min: 0, max: 100 }),
  suspectLosses: fc.integer({ min: 0, max: 2 }),
  totalLosses: fc.integer({ min: 0, max: 120 }),
  releases: fc.integer({ min: 0, max: 5_000 }),
  failed: fc.nat({ max: 3 }),
};

interface Drawn {
  readonly dueTimeUs: number;
  readonly expireTimeUs: number | null;
  readonly suspension: Suspension | null;
}

function dueOf(state: JobState, { dueTimeUs, expireTimeUs, suspension }: Drawn): number | null {
  if (state === 'READY' || state === 'PAUSED') return expireTimeUs;
  if (state === 'ASSIGNED') return suspension?.untilUs ?? null;
  if (state === 'RUNNING') return Math.min(dueTimeUs, suspension?.untilUs ?? dueTimeUs);
  return state === 'SCHEDULED' || state === 'CANCELLING' ? dueTimeUs : null;
}

/** Only a job that is held, or whose handler waits for children, is still to be suspended. */
function suspensionOf(state: JobState, inUs: number | null, isPause: boolean): Suspension | null {
  if (inUs === null || !['ASSIGNED', 'RUNNING', 'WAITING'].includes(state)) return null;
  return { untilUs: NOON_US + inUs, to: isPause || state === 'WAITING' ? 'PAUSED' : 'READY' };
}

/** Counts by cause of an open job: below the limits. */
function failuresBelow({ limits: given = {} }: RetryPolicy, failed: number): number {
  let packed = 0;
  for (const cause of causes)
    for (let i = 0; i < Math.min(failed, (given[cause] ?? 1) - 1); i++) packed = withOneMore(packed, cause);
  return packed;
}

/** A job in the given state that satisfies the CHECKs of `job_runs`, and has attempts left by its policy. */
export function openRun(state: JobState, policy: RetryPolicy): fc.Arbitrary<OpenRun> {
  return fc.record({ ...times, ...counts, priority }).map((drawn): OpenRun => {
    const expireTimeUs = drawn.expireInUs === null ? null : NOON_US + drawn.expireInUs;
    const dueTimeUs = NOON_US + drawn.dueInUs;
    const suspension = suspensionOf(state, drawn.suspendInUs, drawn.isPause);
    return {
      jobId: '0198c0de-0000-7000-8000-000000000001',
      laneId: 1,
      state,
      rank: NOON_US - drawn.ageUs,
      priority: drawn.priority,
      attempt: drawn.attempt,
      attemptCount: drawn.counted % Math.min(policy.maxAttempts, drawn.attempt),
      sessionId: isHeld(state) ? SESSION_ID : null,
      assignTimeUs: NOON_US - 1_000,
      dueTimeUs: dueOf(state, { dueTimeUs, expireTimeUs, suspension }),
      expireTimeUs,
      runTimeUs: state === 'PAUSED' && drawn.isPutOff ? dueTimeUs : null,
      createTimeUs: NOON_US - drawn.ageUs,
      consecutiveLosses: drawn.consecutiveLosses,
      limits: noLimits,
      suspectLosses: drawn.suspectLosses,
      totalLosses: drawn.totalLosses,
      releases: drawn.releases,
      releasesSinceUs: drawn.releases === 0 ? null : NOON_US - drawn.releasesAgoUs,
      suspensions: 0,
      timeoutsStopped: false,
      suspension,
      begun: state === 'PAUSED' && drawn.isFamily,
      pausedWithParent: (state === 'PAUSED' || suspension !== null) && drawn.isWithParent,
      exhausted: state === 'PAUSED' && !drawn.isFamily && drawn.isExhausted,
      retriesSinceUs: drawn.resumedAgoUs === null ? null : NOON_US - drawn.resumedAgoUs,
      reason: null,
      failures: failuresBelow(policy, drawn.failed),
      runTimeoutMs: 1_000,
      retryPolicy: null,
      fairnessKey: null,
      limitId: null,
      parentJobId: null,
      unmetDependencies: 0,
      children: 0,
      notifiesDependents: false,
    };
  });
}

const someTime = fc.option(fc.integer({ min: NOON_US - 60_000_000, max: NOON_US + 60_000_000 }), { nil: undefined });

/** A change of some fields, with times around noon. */
export const update: fc.Arbitrary<Update> = fc
  .record({ priority: fc.option(priority, { nil: undefined }), runTimeUs: someTime, expireTimeUs: someTime })
  .filter((asked) => Object.values(asked).some((value) => value !== undefined));

const letters = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** A name as the contract allows it for definitions and handlers. */
export const name = fc
  .tuple(fc.constantFrom(...letters), fc.string({ unit: fc.constantFrom(...letters, '-', '.', '_'), maxLength: 8 }))
  .map(([first, rest]) => first + rest);

/** Few keys and values, so that they often match, including names that every object has. */
export const labels = fc.dictionary(
  fc.constantFrom('zone', 'gpu', 'a', 'b', '1', '10', '2', 'constructor', 'toString', 'x/y.z'),
  fc.constantFrom('', 'eu', 'us', '1', 'true'),
  { maxKeys: 5, noNullPrototype: true },
);

/** The same entries in another order. */
export function shuffled<T>(record: Readonly<Record<string, T>>): fc.Arbitrary<Record<string, T>> {
  return fc
    .shuffledSubarray(Object.entries(record), { minLength: Object.keys(record).length })
    .map((entries) => Object.fromEntries(entries));
}
