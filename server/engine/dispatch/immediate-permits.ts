/**
 * Permits for jobs that are about to be stored. If a session offers one and no other job waits for it, the statement
 * that stores the job assigns it too: no claim and no second commit before its handler starts.
 */

import type { Permit } from '../ports/dispatch.ts';
import type { NewJob } from '../ports/submissions.ts';
import { isExhausted, type KnownLane } from './known-lane.ts';
import { isSingleLane, type Lanes } from './lanes.ts';
import type { Limits } from './limits.ts';
import { kindsFor } from './prefetch.ts';
import type { UnspentCredits } from './unspent-credits.ts';

export interface ImmediatePermits {
  /**
   * At most one per job, by job id. A job without one is stored as ready. No job gets one while an earlier job waits.
   */
  readonly permits: Map<string, Permit>;
  /** The lane with limits among the lanes of these permits. */
  readonly limited: KnownLane | undefined;
}

/** Only one lane with limits gets permits: transactions that lock several limits could deadlock. */
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
    // Claims from lanes with limits run one at a time per lane; while one runs, a new job has to wait behind it.
    const isTaken = lane?.limited && (isExhausted(lane) || lane.head !== undefined || limited !== undefined);
    if (!lane || lane.atLimit || isTaken || isChoosy(lane)) continue;
    const before = permits.size;
    fill(permits, { lanes, credits, limits }, lane, ready);
    if (lane.limited && permits.size > before) limited = lane;
  }
  return { permits, limited };
}

/** Jobs that take resources or prefer certain sessions are assigned by claims only, which check that. */
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
