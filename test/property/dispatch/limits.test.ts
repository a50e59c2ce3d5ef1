/** Limits: rates hold in every interval, and admissions never exceed the headroom. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { judgeLimit, type OpenJob, type OpenOfKey } from '../../../server/domain/dispatch/limit-policy.ts';
import {
  admit,
  type Candidate,
  type Headroom,
  headroomOf,
  type LimitPolicy,
  lowestHeadroom,
  type RateLimit,
  timeOfUnits,
} from '../../../server/domain/dispatch/limits.ts';

const rate: fc.Arbitrary<RateLimit> = fc.record({
  units: fc.integer({ min: 1, max: 1_000 }),
  periodMs: fc.integer({ min: 1, max: 100_000 }),
  burst: fc.integer({ min: 1, max: 2_000 }),
});

interface Start {
  readonly at: number;
  readonly units: number;
}

/** Takes as much as fits or is wanted at each of the times. */
function run(limit: RateLimit, cost: number, asks: readonly { readonly afterUs: number; readonly wanted: number }[]) {
  let [nowUs, fullTimeUs] = [1.8e15, null as number | null];
  const starts: Start[] = [];
  for (const { afterUs, wanted } of asks) {
    nowUs += afterUs;
    const jobs = Math.min(wanted, headroomOf({ held: 0, rateLimit: limit, fullTimeUs }, cost, nowUs).jobs);
    if (jobs === 0) continue;
    fullTimeUs = Math.max(fullTimeUs ?? nowUs, nowUs) + timeOfUnits(limit, jobs * cost);
    starts.push({ at: nowUs, units: jobs * cost });
  }
  return { starts, fullTimeUs, nowUs };
}

const asks = fc.array(
  fc.record({ afterUs: fc.integer({ min: 0, max: 5_000_000 }), wanted: fc.integer({ min: 0, max: 300 }) }),
  { maxLength: 60 },
);

it('a rate limit allows no more units in any interval than the burst and the refill', () => {
  fc.assert(
    fc.property(rate, fc.integer({ min: 1, max: 50 }), asks, (limit, cost, list) => {
      const { starts } = run(limit, cost, list);
      // A job that costs more than the burst takes units of the future.
      const burst = Math.max(limit.burst, cost);
      for (let i = 0; i < starts.length; i++) {
        let units = 0;
        for (let j = i; j < starts.length; j++) {
          units += (starts[j] as Start).units;
          const stretchUs = (starts[j] as Start).at - (starts[i] as Start).at;
          const allowed = burst + (limit.units * stretchUs) / (limit.periodMs * 1_000);
          // A thousandth of a unit each time for rounding to whole microseconds.
          expect(units).toBeLessThanOrEqual(allowed + 0.01 * (j - i + 1));
        }
      }
    }),
  );
});

it('a rate limit has headroom for one more job at the time that it gives, and not long before', () => {
  fc.assert(
    fc.property(rate, fc.integer({ min: 1, max: 50 }), asks, (limit, cost, list) => {
      const { fullTimeUs, nowUs } = run(limit, cost, list);
      const capacity = { held: 0, rateLimit: limit, fullTimeUs };
      const headroom = headroomOf(capacity, cost, nowUs);
      expect(headroom.openTimeUs).toBeDefined();
      const openTimeUs = headroom.openTimeUs as number;
      // When even a full bucket has no headroom for one more, it stays so.
      const most = cost > limit.burst ? 1 : Math.floor(limit.burst / cost);
      const then = headroomOf(capacity, cost, openTimeUs).jobs;
      if (headroom.jobs < most) {
        expect(then).toBeGreaterThan(headroom.jobs);
        const unitUs = (limit.periodMs * 1_000) / limit.units;
        expect(headroomOf(capacity, cost, Math.floor(openTimeUs - 0.1 * unitUs - 2)).jobs).toBeLessThanOrEqual(
          headroom.jobs,
        );
      }
    }),
  );
});

it('the headroom of a limit is the smaller of its free permits and its units', () => {
  fc.assert(
    fc.property(rate, fc.nat(500), fc.nat(500), (limit, maxConcurrency, held) => {
      const free = Math.max(0, maxConcurrency - held);
      const { jobs } = headroomOf({ maxConcurrency, held, rateLimit: limit, fullTimeUs: null }, 1, 1.8e15);
      expect(jobs).toBe(Math.min(free, limit.burst));
      expect(headroomOf({ maxConcurrency, held, fullTimeUs: null }, 1, 1.8e15)).toEqual({ jobs: free });
    }),
  );
});

it('the headroom of several limits is the lowest, and rises when the last of the exhausted ones does', () => {
  expect(lowestHeadroom([])).toEqual({ jobs: Number.POSITIVE_INFINITY });
  expect(lowestHeadroom([{ jobs: 3 }, { jobs: 5, openTimeUs: 9 }])).toEqual({ jobs: 3 });
  expect(lowestHeadroom([{ jobs: 0, openTimeUs: 7 }, { jobs: 0, openTimeUs: 9 }, { jobs: 4 }])).toEqual({
    jobs: 0,
    openTimeUs: 9,
  });
  expect(lowestHeadroom([{ jobs: 0, openTimeUs: 7 }, { jobs: 0 }])).toEqual({ jobs: 0 });
});

const keys = ['a', 'b', 'c', undefined];
const candidates: fc.Arbitrary<Candidate[]> = fc
  .array(fc.record({ limitId: fc.constantFrom(...keys), bytes: fc.nat(1_000) }), { maxLength: 50 })
  .map((list) => list.map((one, i) => ({ ...one, jobId: `job-${i}` })));
const headrooms: fc.Arbitrary<Map<string, Headroom>> = fc
  .array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat(5)), { maxLength: 3 })
  .map((list) => new Map(list.map(([key, jobs]) => [key, { jobs }])));

it('admission is in order, up to the headroom of each key, and defers exactly the jobs of keys without headroom', () => {
  fc.assert(
    fc.property(candidates, headrooms, fc.nat(60), fc.nat(8_000), (list, byKey, most, maxBytes) => {
      const { admitted, over } = admit(list, byKey, most, maxBytes);
      const of = new Map(list.map((one) => [one.jobId, one]));
      const bytes = admitted.reduce((sum, id) => sum + (of.get(id)?.bytes ?? 0), 0);
      expect(admitted.length).toBeLessThanOrEqual(most);
      if (admitted.length > 1) expect(bytes).toBeLessThanOrEqual(maxBytes);
      for (const [key, headroom] of byKey) {
        const taken = admitted.filter((id) => of.get(id)?.limitId === key).length;
        expect(taken).toBeLessThanOrEqual(headroom.jobs);
        if (over.some((id) => of.get(id)?.limitId === key)) expect(taken).toBe(headroom.jobs);
      }
      for (const id of over) expect(byKey.has(of.get(id)?.limitId ?? '')).toBe(true);
      const places = admitted.map((id) => list.findIndex((one) => one.jobId === id));
      expect(places).toEqual([...places].sort((a, b) => a - b));
      expect(new Set([...admitted, ...over]).size).toBe(admitted.length + over.length);
    }),
  );
});

it('admission admits all jobs when there is headroom for all and no other bound', () => {
  fc.assert(
    fc.property(candidates, (list) => {
      expect(admit(list, new Map(), list.length, Number.POSITIVE_INFINITY)).toEqual({
        admitted: list.map(({ jobId }) => jobId),
        over: [],
      });
    }),
  );
});

const states = ['BLOCKED', 'SCHEDULED', 'READY', 'PAUSED', 'ASSIGNED', 'RUNNING', 'CANCELLING'] as const;
const open: fc.Arbitrary<OpenJob[]> = fc
  .array(fc.constantFrom(...states), { maxLength: 12 })
  .map((list) => list.map((state, i) => ({ jobId: `job-${String(i).padStart(2, '0')}`, state })));
/** Of many jobs only the first `read` that a policy cancels are read. */
function openOf(jobs: readonly OpenJob[], read = jobs.length): OpenOfKey {
  const live = jobs.filter(({ state }) => state !== 'CANCELLING');
  return { jobs: live.slice(0, read), openCount: jobs.length, liveCount: live.length };
}

const policies = fc.constantFrom<LimitPolicy>('WAIT', 'REJECT_NEW', 'CANCEL_OLDEST', 'REPLACE_WAITING');

it('a policy at the limit does nothing while there is headroom, and a job that it cancels frees headroom or stops waiting', () => {
  fc.assert(
    fc.property(
      policies,
      fc.integer({ min: 1, max: 8 }),
      open,
      fc.integer({ min: 1, max: 4 }),
      (policy, max, jobs, added) => {
        const verdict = judgeLimit(policy, max, openOf(jobs), added);
        if (policy === 'WAIT' || jobs.length + added <= max) {
          expect(verdict).toEqual({ kind: 'store' });
          return;
        }
        if (policy === 'REJECT_NEW' || added > max) {
          expect(verdict).toEqual({ kind: 'refuse' });
          return;
        }
        const gone = new Set(verdict.kind === 'cancel' ? verdict.jobIds : []);
        const left = jobs.filter(({ jobId, state }) => !gone.has(jobId) && state !== 'CANCELLING');
        if (policy === 'CANCEL_OLDEST') {
          expect(left.length + added).toBeLessThanOrEqual(max);
          for (const { jobId } of left) for (const id of gone) expect(id < jobId).toBe(true);
        } else {
          expect(left.every(({ state }) => state === 'ASSIGNED' || state === 'RUNNING')).toBe(true);
          for (const { jobId, state } of jobs) if (state === 'RUNNING') expect(gone.has(jobId)).toBe(false);
        }
        expect(verdict.kind).not.toBe('refuse');
      },
    ),
  );
});

it('a policy at the limit counts the jobs that were not read, and cancels the oldest of all', () => {
  fc.assert(
    fc.property(
      policies,
      fc.integer({ min: 1, max: 8 }),
      open,
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 0, max: 12 }),
      (policy, max, jobs, added, read) => {
        const whole = judgeLimit(policy, max, openOf(jobs), added);
        const part = judgeLimit(policy, max, openOf(jobs, read), added);
        if (policy === 'CANCEL_OLDEST' && whole.kind === 'cancel') {
          const first = whole.jobIds.slice(0, read);
          expect(part).toEqual(first.length > 0 ? { kind: 'cancel', jobIds: first } : { kind: 'store' });
        } else if (policy !== 'REPLACE_WAITING') expect(part).toEqual(whole);
      },
    ),
  );
});
