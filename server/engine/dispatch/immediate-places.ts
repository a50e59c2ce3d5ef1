/**
 * Places for jobs that are about to be stored. Where a session offers one and nothing waits for it, the statement that
 * stores the job assigns it too: no claim, no second commit before its handler starts.
 */

import type { Place } from '../ports/dispatch.ts';
import type { NewJob } from '../ports/submissions.ts';
import type { KnownLane } from './known-lane.ts';
import { isApart, type Lanes } from './lanes.ts';
import type { Limits } from './limits.ts';
import type { ParkedCredits } from './parked-credits.ts';
import { kindsFor } from './prefetch.ts';

export interface ImmediatePlaces {
  /** At most one place a job, by job id. What gets none is stored as ready: so is everything while an earlier job waits. */
  readonly places: Map<string, Place>;
  /** The lane with limits among those of the jobs that got places. */
  readonly limited: KnownLane | undefined;
}

/** Of lanes with limits only one gets places: who assigns under several limits could wait for whoever waits for it. */
export function immediatePlaces(
  lanes: Lanes,
  credits: ParkedCredits,
  limits: Pick<Limits, 'takesSlotsOnly'>,
  jobs: readonly NewJob[],
): ImmediatePlaces {
  const places = new Map<string, Place>();
  let limited: KnownLane | undefined;
  for (const [laneId, ready] of readyByLane(jobs)) {
    const lane = lanes.get(laneId);
    // While a claim of a lane with limits is under way, no other is: its jobs wait all the same.
    const isTaken = lane?.limited && (lane.full || lane.head !== undefined || limited !== undefined);
    if (!lane || lane.atLimit || isTaken || isChoosy(lane)) continue;
    const before = places.size;
    fill(places, { lanes, credits, limits }, lane, ready);
    if (lane.limited && places.size > before) limited = lane;
  }
  return { places, limited };
}

/** What takes resources, or does not take any session, is assigned by claims alone, which look at that. */
function isChoosy(lane: KnownLane): boolean {
  return isApart(lane) || lane.needs.preferred !== undefined;
}

function fill(
  places: Map<string, Place>,
  { lanes, credits, limits }: { lanes: Lanes; credits: ParkedCredits; limits: Pick<Limits, 'takesSlotsOnly'> },
  lane: KnownLane,
  ready: readonly NewJob[],
): void {
  let next = 0;
  for (const parked of credits.classes()) {
    if (next === ready.length) return;
    const isWanted = lanes.suits(parked, lane) && lanes.readyFor(parked, 1).length === 0 && !lanes.apartFor(parked);
    if (!isWanted) continue;
    const kinds = kindsFor(lanes, limits, parked, lane, (ready[next] as NewJob).rank);
    for (const place of credits.take(parked, ready.length - next, kinds))
      places.set((ready[next++] as NewJob).jobId, place);
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
