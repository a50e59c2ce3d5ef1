/** Jobs that kill their workers, among others: which are found, after how many crashes, and which are spared. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { definitionDefaults } from '../../../server/domain/definitions/definition.ts';
import { decideRelease, decideSessionEnd } from '../../../server/domain/jobs/decide.ts';
import { isSuspect } from '../../../server/domain/jobs/losses.ts';
import type { OpenRun } from '../../../server/domain/jobs/run.ts';
import { chance, NOON_US, openRun } from '../base/arbitraries.ts';

const fresh = openRun('ASSIGNED', definitionDefaults.retryPolicy).map(
  (run): OpenRun => ({
    ...run,
    attempt: 1,
    attemptCount: 0,
    consecutiveLosses: 0,
    suspectLosses: 0,
    totalLosses: 0,
  }),
);

interface Job {
  readonly name: number;
  readonly kills: boolean;
  run: OpenRun;
  end: string | undefined;
}

const nextAttempt = (run: OpenRun): OpenRun => ({ ...run, attempt: run.attempt + 1 });

/** The jobs that a worker takes at once: at most one suspect. */
function takeBatch(waiting: readonly Job[], slots: number): Job[] {
  const suspect = waiting.find((job) => isSuspect(job.run));
  const others = waiting.filter((job) => !isSuspect(job.run));
  return [...(suspect ? [suspect] : []), ...others].slice(0, slots);
}

/** Runs all jobs to their end on one worker at a time. Returns the crashes. A killer kills before others report. */
function runAll(jobs: readonly Job[], slots: number, random: number): number {
  let crashes = 0;
  for (let round = 0; round < 10_000; round++) {
    const waiting = jobs.filter((job) => job.end === undefined);
    if (waiting.length === 0) return crashes;
    const batch = takeBatch(waiting, slots);
    if (!batch.some((job) => job.kills)) {
      for (const job of batch) job.end = 'SUCCEEDED';
      continue;
    }
    crashes++;
    for (const job of batch) {
      const change = decideSessionEnd(job.run, 'LAPSE', { nowUs: NOON_US, random });
      if (change.kind === 'end') job.end = change.failure?.failureCause ?? change.state;
      else
        job.run = {
          ...nextAttempt(job.run),
          consecutiveLosses: change.consecutiveLosses,
          suspectLosses: change.suspectLosses,
          totalLosses: change.totalLosses,
        };
    }
  }
  throw new Error('the jobs never ended');
}

describe('a job that kills its workers', () => {
  it('is found after five crashes, and no other job fails', () => {
    fc.assert(
      fc.property(
        fresh,
        fc.integer({ min: 1, max: 40 }),
        fc.nat(),
        fc.integer({ min: 1, max: 20 }),
        chance,
        (run, count, which, slots, random) => {
          const jobs = Array.from({ length: count }, (_, name): Job => {
            return { name, kills: name === which % count, run, end: undefined };
          });
          expect(runAll(jobs, slots, random)).toBe(5);
          for (const job of jobs) expect(job.end).toBe(job.kills ? 'POISON' : 'SUCCEEDED');
        },
      ),
    );
  });

  it('is found among several, after at most five crashes for each', () => {
    fc.assert(
      fc.property(
        fresh,
        fc.array(fc.boolean(), { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 20 }),
        chance,
        (run, kinds, slots, random) => {
          const jobs = kinds.map((kills, name): Job => ({ name, kills, run, end: undefined }));
          const killers = jobs.filter((job) => job.kills);
          expect(runAll(jobs, slots, random)).toBeLessThanOrEqual(5 * killers.length);
          // An innocent suspect may be charged when a killer that is not yet a suspect runs at the same time.
          for (const job of killers) expect(job.end).toBe('POISON');
        },
      ),
    );
  });

  it('crashes five workers when it is the only job', () => {
    fc.assert(
      fc.property(fresh, chance, (run, random) => {
        expect(runAll([{ name: 0, kills: true, run, end: undefined }], 1, random)).toBe(5);
      }),
    );
  });
});

describe('a job that is lost without a fault of its own', () => {
  it.each(['CLOSE', 'MASS_LAPSE'] as const)('continues for ninety-nine losses by %s, and no longer', (how) => {
    fc.assert(
      fc.property(fresh, chance, (run, random) => {
        let now: OpenRun = run;
        for (let loss = 1; loss < 100; loss++) {
          const change = decideSessionEnd(now, how, { nowUs: NOON_US, random });
          if (change.kind === 'end') throw new Error(`it ended at loss ${loss}`);
          expect({ consecutiveLosses: change.consecutiveLosses, suspectLosses: change.suspectLosses }).toEqual({
            consecutiveLosses: 0,
            suspectLosses: 0,
          });
          now = { ...nextAttempt(now), totalLosses: change.totalLosses };
        }
        const last = decideSessionEnd(now, how, { nowUs: NOON_US, random });
        expect(last).toMatchObject({ kind: 'end', state: 'FAILED', failure: { failureCause: 'LOST_TOO_OFTEN' } });
      }),
    );
  });

  it('continues for ninety-nine attempts that were released or lost, and no longer, however many count', () => {
    const kinds = fc.array(fc.boolean(), { minLength: 100, maxLength: 100 });
    fc.assert(
      fc.property(fresh, kinds, fc.integer({ min: 0, max: 50 }), chance, (run, totalLosses, counted, random) => {
        const moment = { nowUs: NOON_US, random };
        let now: OpenRun = { ...run, attempt: 1 + counted, attemptCount: counted };
        totalLosses.forEach((isLost, i) => {
          const change = isLost ? decideSessionEnd(now, 'CLOSE', moment) : decideRelease(now, 'NO_SLOT', moment);
          expect(change.kind).toBe(i === 99 ? 'end' : 'continue');
          if (change.kind === 'end') {
            expect(change).toMatchObject({ state: 'FAILED', failure: { failureCause: 'LOST_TOO_OFTEN' } });
            return;
          }
          expect(change).toMatchObject({ consecutiveLosses: 0, suspectLosses: 0, closed: { counted: false } });
          now = { ...nextAttempt(now), totalLosses: change.totalLosses };
        });
      }),
    );
  });
});
