/** The jobs reported as deadlocked are exactly those that no order of starts and ends can finish. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  Deadlocks,
  type LimitedPlaces,
  type SessionPlaces,
  type StuckCandidate,
} from '../../server/domain/dependencies/deadlock.ts';
import { deadlockOf, deadlockText } from '../../server/domain/dependencies/deadlock-circle.ts';

const limits: readonly LimitedPlaces[] = [1, 2].map((places, i) => ({
  key: `limit ${i}`,
  name: `in queue q${i}`,
  places,
}));
const sessions: readonly SessionPlaces[] = [1, 2].map((slots, i) => ({
  sessionId: `session ${i}`,
  workerName: `w${i}`,
  slots,
  resources: { gpu: 2 },
}));
const ids = ['a', 'b', 'c', 'd', 'e'];

const awaits = fc.uniqueArray(fc.record({ jobId: fc.constantFrom(...ids, 'outside'), isEnough: fc.boolean() }), {
  maxLength: 3,
  selector: ({ jobId }) => jobId,
});
const someLimits = fc.subarray([...limits]);
const resources = fc.constantFrom({}, { gpu: 1 }, { gpu: 2 });

const holding = fc.record({ limits: someLimits, session: fc.constantFrom(...sessions) }).map((one) => ({
  state: 'RUNNING',
  held: {
    sessionId: one.session.sessionId,
    workerName: one.session.workerName,
    limitKeys: one.limits.map(({ key }) => key),
  },
  needs: undefined,
}));
const waiting = fc.record({ limits: someLimits, sessions: fc.subarray([...sessions]) }).map((needs) => ({
  state: 'READY',
  held: undefined,
  needs,
}));
const ofControlPlane = fc.constant({ state: 'WAITING', held: undefined, needs: undefined });

const system: fc.Arbitrary<StuckCandidate[]> = fc
  .array(fc.record({ awaits, resources, rest: fc.oneof(holding, waiting, ofControlPlane) }), {
    minLength: 1,
    maxLength: 5,
  })
  .map((all) => all.map(({ rest, ...one }, i) => ({ jobId: ids[i] as string, ...one, ...rest })));

/** Where each job is: at a session, ended, or neither. */
type Places = readonly (string | 'ENDED' | undefined)[];

/** Walks every reachable state, and returns the jobs that end in none of them. */
function stuckByTrying(jobs: readonly StuckCandidate[]): string[] {
  const ended = new Set<number>();
  const seen = new Set<string>();
  const open: Places[] = [jobs.map(({ held }) => held?.sessionId)];
  for (let places = open.pop(); places; places = open.pop()) {
    const key = JSON.stringify(places);
    if (seen.has(key)) continue;
    seen.add(key);
    for (const [i, place] of places.entries()) if (place === 'ENDED') ended.add(i);
    open.push(...jobs.flatMap((_, i) => movesOf(jobs, places, i)));
  }
  return jobs.flatMap(({ jobId }, i) => (ended.has(i) ? [] : [jobId]));
}

function movesOf(jobs: readonly StuckCandidate[], places: Places, i: number): Places[] {
  const job = jobs[i] as StuckCandidate;
  const place = places[i];
  if (place === 'ENDED') return [];
  const to = (next: string): Places => places.with(i, next);
  const hasEnded = (jobId: string) => {
    const at = jobs.findIndex((other) => other.jobId === jobId);
    return at < 0 || places[at] === 'ENDED';
  };
  const moves: Places[] = [];
  const isStartedHere = place !== undefined && !job.held;
  const met = job.awaits.every(({ jobId }) => hasEnded(jobId));
  if (isStartedHere || job.awaits.some(({ jobId, isEnough }) => isEnough && hasEnded(jobId))) moves.push(to('ENDED'));
  else if (met && !job.needs) moves.push(to('ENDED'));
  if (place !== undefined || !met || !job.needs) return moves;
  const holders = jobs.filter((_, j) => places[j] !== undefined && places[j] !== 'ENDED');
  const limitsOf = (one: StuckCandidate) => one.held?.limitKeys ?? one.needs?.limits.map(({ key }) => key) ?? [];
  const isFull = job.needs.limits.some(
    ({ key, places: most }) => holders.filter((one) => limitsOf(one).includes(key)).length >= most,
  );
  if (isFull) return moves;
  const gpus = (one: StuckCandidate) => (one.resources as { gpu?: number }).gpu ?? 0;
  for (const { sessionId, slots } of job.needs.sessions) {
    const there = jobs.filter((_, j) => places[j] === sessionId);
    const used = there.reduce((sum, one) => sum + gpus(one), 0);
    if (there.length < slots && (gpus(job) === 0 || used + gpus(job) <= 2)) moves.push(to(sessionId));
  }
  // A worker of its own may connect.
  if (job.needs.sessions.length === 0) moves.push(to('elsewhere'));
  return moves;
}

describe('deadlocks', () => {
  it('are exactly the jobs that no possible event can finish', () => {
    let stuckOnce = 0;
    fc.assert(
      fc.property(system, (jobs) => {
        const found = [...new Deadlocks(jobs).stuck.keys()].toSorted();
        expect(found).toEqual(stuckByTrying(jobs).toSorted());
        if (found.length > 0) stuckOnce++;
      }),
      { numRuns: 3_000 },
    );
    expect(stuckOnce).toBeGreaterThan(100);
  });

  it('are described as a chain of deadlocked jobs that returns to one of them', () => {
    fc.assert(
      fc.property(system, (jobs) => {
        const deadlocks = new Deadlocks(jobs);
        for (const { jobId } of jobs) {
          const deadlock = deadlockOf(deadlocks, jobId);
          expect(deadlock !== undefined).toBe(deadlocks.stuck.has(jobId));
          if (!deadlock) continue;
          const { hops, isCircle } = deadlock;
          expect(hops[0]?.job.jobId).toBe(jobId);
          for (const [i, hop] of hops.entries()) {
            expect(deadlocks.stuck.has(hop.nextJobId)).toBe(true);
            if (i + 1 < hops.length) expect(hop.nextJobId).toBe(hops[i + 1]?.job.jobId);
          }
          const back = hops.findIndex(({ job }) => job.jobId === hops.at(-1)?.nextJobId);
          expect(isCircle ? back : Math.sign(back)).toBe(isCircle ? 0 : 1);
          expect(deadlockText(deadlock).startsWith(`job ${jobId} (`)).toBe(true);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
