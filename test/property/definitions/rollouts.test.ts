/** Properties of roll-outs: the version of a job, and what becomes of a roll-out. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  chosenVersion,
  decideRollout,
  type RolloutSettings,
  rolloutStates,
} from '../../../server/domain/definitions/rollout.ts';

const percent = fc.integer({ min: 0, max: 100 });
const labels = fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom('x', 'y'), { maxKeys: 2 });
const state = fc.constantFrom(...(Object.keys(rolloutStates) as (keyof typeof rolloutStates)[]));
const choice = fc.record({
  version: fc.constant(5),
  baseVersion: fc.constant(3),
  state,
  percent,
  labels,
  served: fc.boolean(),
});

const counts = fc.nat(50).chain((ended) => fc.nat(ended).map((failed) => ({ ended, failed })));
const settings: fc.Arbitrary<RolloutSettings> = fc.record({
  steps: fc
    .uniqueArray(percent, { minLength: 1, maxLength: 4 })
    .chain((all) =>
      fc.tuple(
        ...all
          .toSorted((a, b) => a - b)
          .map((one) => fc.record({ percent: fc.constant(one), holdMs: fc.option(fc.nat(100), { nil: undefined }) })),
      ),
    ),
  labels,
  minJobs: fc.integer({ min: 1, max: 20 }),
  maxFailureIncrease: fc.double({ min: 0, max: 1, noNaN: true }),
});

describe('the version of a new job', () => {
  it('is one of the two, and the new one only while it is served or promoted', () => {
    fc.assert(
      fc.property(choice, labels, fc.double({ min: 0, max: 0.999, noNaN: true }), (given, own, random) => {
        const version = chosenVersion(given, own, () => random);
        expect([3, 5]).toContain(version);
        if (given.state === 'ROLLED_BACK' || (given.state === 'OPEN' && !given.served)) expect(version).toBe(3);
        if (given.state === 'PROMOTED' || given.state === 'SUPERSEDED') expect(version).toBe(5);
      }),
    );
  });

  it('is the new one for the wanted part of all numbers, and for all jobs with the labels', () => {
    fc.assert(
      fc.property(choice, labels, (given, own) => {
        const open = { ...given, state: 'OPEN', served: true } as const;
        const wanted = Object.entries(open.labels);
        const isNamed = wanted.length > 0 && wanted.every(([name, value]) => own[name] === value);
        const taken = Array.from({ length: 100 }, (_, i) => chosenVersion(open, own, () => i / 100));
        expect(taken.filter((version) => version === 5)).toHaveLength(isNamed ? 100 : open.percent);
      }),
    );
  });
});

describe('a roll-out', () => {
  it('whose difference is the bound stays open', () => {
    const status = { settings: { steps: [{ percent: 5 }], labels: {}, minJobs: 1, maxFailureIncrease: 0.1 } };
    const found = { counts: { ended: 10, failed: 4, retrying: 0 }, baseCounts: { ended: 10, failed: 3 } };
    const decision = decideRollout(
      { ...status, step: 0, stepTimeUs: 0, served: true },
      { ...found, nowUs: 1, served: true, baseServed: true },
    );
    expect(decision.state).toBe('OPEN');
  });

  it('gives the new version jobs while it is served, and still if nobody serves either', () => {
    fc.assert(
      fc.property(settings, facts, fc.boolean(), (given, found, served) => {
        const decision = decideRollout({ settings: given, step: 0, stepTimeUs: 0, served }, found);
        expect(decision.served).toBe(found.served || (served && !found.baseServed));
      }),
    );
  });

  const newCounts = fc.tuple(counts, fc.nat(20)).map(([ended, retrying]) => ({ ...ended, retrying }));
  const facts = fc.record({
    nowUs: fc.constant(1_000_000),
    served: fc.boolean(),
    baseServed: fc.boolean(),
    counts: newCounts,
    baseCounts: counts,
  });
  const rate = ({ ended, failed }: { ended: number; failed: number }) => (ended === 0 ? 0 : failed / ended);

  it('is rolled back exactly when enough jobs fail more often than it allows', () => {
    fc.assert(
      fc.property(settings, facts, (given, found) => {
        const status = { settings: given, step: 0, stepTimeUs: 1_000_000, served: true };
        const decision = decideRollout(status, found);
        const isWorse = rate(found.counts) > rate(found.baseCounts) + given.maxFailureIncrease + 1e-9;
        expect(decision.state === 'ROLLED_BACK').toBe(isWorse && found.counts.ended >= given.minJobs);
        expect(decision.reason === '').toBe(decision.state === 'OPEN');
      }),
    );
  });

  it('advances by at most one step, after its time, served and judged, and never back', () => {
    fc.assert(
      fc.property(settings, facts, fc.nat(3), fc.nat(200), (given, found, at, sinceMs) => {
        const step = at % given.steps.length;
        const status = { settings: given, step, stepTimeUs: found.nowUs - sinceMs * 1_000, served: true };
        const decision = decideRollout(status, found);
        expect(decision.step === step || decision.step === step + 1).toBe(true);
        const moved = decision.step > step || decision.state === 'PROMOTED';
        const holdMs = given.steps[step]?.holdMs;
        if (moved) {
          expect(holdMs !== undefined && sinceMs >= holdMs).toBe(true);
          expect(found.served && found.counts.ended >= given.minJobs).toBe(true);
          const { ended, failed, retrying } = found.counts;
          const worst = rate({ ended: ended + retrying, failed: failed + retrying });
          expect(worst).toBeLessThanOrEqual(rate(found.baseCounts) + given.maxFailureIncrease + 1e-9);
        }
        if (decision.state === 'PROMOTED') expect(step).toBe(given.steps.length - 1);
        if (!found.served && decision.state === 'OPEN') expect(decision.stepTimeUs).toBe(found.nowUs);
      }),
    );
  });
});
