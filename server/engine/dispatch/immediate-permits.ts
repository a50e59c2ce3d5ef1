/**
 * Places for jobs that are about to be stored. Where a session offers one and nothing waits for it, the statement that
 * stores the job assigns it too: no claim, no second commit before its handler starts.
 */

import type { Permit } from '../ports/dispatch.ts';
import type { NewJob } from '../ports/submissions.ts';
import type { KnownLane } from './known-lane.ts';
import { isSingleLane, type Lanes } from './lanes.ts';
import type { Limits } from './limits.ts';
import { kindsFor } from './prefetch.ts';
import type { UnspentCredits } from './unspent-credits.ts';

export interface ImmediatePermits {
  /** At most one place a job, by job id. What gets none is stored as ready: so is everything while an earlier job waits. */
  readonly permits: Map<string, Permit>;
  /** The lane with limits among those of the jobs that got places. */
  readonly limited: KnownLane | undefined;
}

/** Of lanes with limits only one gets places: who assigns under several limits could wait for whoever waits for it. */
export function immediatePermits(
  lanes: Lanes,
  credits: UnspentCredits,
  limits: Pick<Limits, 'takesSlotsOnly'>,
  jobs: readonly NewJob[],
): ImmediatePermits {
  const permits = new Map<string, Permit>();
  let limited: KnownLane | undefined;
  for (const [laneId, ready] of readyByLane(jobs)) {
    const lane = lanes.get(laneId);
    // While a claim of a lane with limits is under way, no other is: its jobs wait all the same.
    const isTaken = lane?.limited && (lane.exhausted || lane.head !== undefined || limited !== undefined);
    if (!lane || lane.atLimit || isTaken || isChoosy(lane)) continue;
    const before = permits.size;
    fill(permits, { lanes, credits, limits }, lane, ready);
    if (lane.limited && permits.size > before) limited = lane;
  }
  return { permits, limited };
}

/** What takes resources, or does not take any session, is assigned by claims alone, which look at that. */
function isChoosy(lane: KnownLane): boolean {
  return isSingleLane(lane) || lane.needs.preferred !== undefined;
}

function fill(
  permits: Map<string, Permit>,
  { lanes, credits, limits }: { lanes: Lanes; credits: UnspentCredits; limits: Pick<Limits, 'takesSlotsOnly'> },
  lane: KnownLane,
  ready: readonly NewJob[],
): void {
  let next = 0;
  for (const creditClass of credits.classes()) {
    if (next === ready.length) return;
    const isWanted =
      lanes.suits(creditClass, lane) &&
      lanes.readyFor(creditClass, 1).length === 0 &&
      !lanes.singleLaneFor(creditClass);
    if (!isWanted) continue;
    const kinds = kindsFor(lanes, limits, creditClass, lane, (ready[next] as NewJob).rank);
    for (const permit of credits.take(creditClass, ready.length - next, kinds))
      permits.set((ready[next++] as NewJob).jobId, permit);
  }
}

/** Ready jobs of each lane, lowest ranks first. */
function readyByLane(jobs: readonly NewJob[]): Map<number, NewJob[]> {
  const byLane = new Map<number, NewJob[]>();
  for (const job of jobs) {
    if (job.state !== 'READY') continue;
    const others = byLane.get(job.laneId);
    if (others) others.push(job);
    else byLane.set(job.laneId, [job]);
  }
  for (const lane of byLane.values()) lane.sort((a, b) => a.rank - b.rank);
  return byLane;
}
