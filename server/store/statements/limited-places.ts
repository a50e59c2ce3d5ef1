/** Jobs of a lane with limits that are assigned as they are stored: as many as its limits have room for. */

import { admit } from '../../domain/limits.ts';
import type { LaneUnderLimits } from '../../engine/limit-views.ts';
import type { NewJob } from '../../engine/store-port.ts';
import type { Session } from '../database.ts';
import { heldBack } from './held-lanes.ts';
import type { Placement } from './insert-jobs.ts';
import { type Keys, keyRooms, type LimitRoom, lockRoom, roomsOf, takeUnitsOf } from './limit-room.ts';
import { keyUse } from './limit-use.ts';

const readKeys = {
  name: 'read_use_of_keys',
  text: `SELECT i.limit_id, ${keyUse('i.limit_id', '$2::int')} FROM unnest($1::uuid[]) AS i (limit_id)`,
};

/** Jobs with places in a lane with limits, whose locks are held. */
export interface LockedPlaces {
  readonly limited: LaneUnderLimits;
  readonly placed: readonly NewJob[];
  readonly under: LimitRoom;
}

export interface Admitted extends Placement {
  /** Takes the units of rates for those that were assigned, at a time in microseconds. */
  readonly settle: (assigned: ReadonlySet<string>, timeUs: number) => Promise<void>;
}

/**
 * Within the transaction that stores the jobs, and before any key of fairness is locked: others lock a queue or a
 * definition first, and those keys after it. Undefined: no place is in a lane with limits.
 */
export async function lockPlaces(
  session: Session,
  jobs: readonly NewJob[],
  { places, limited }: Placement,
): Promise<LockedPlaces | undefined> {
  const placed = limited ? jobs.filter((job) => job.laneId === limited.laneId && places.has(job.jobId)) : [];
  if (!limited || placed.length === 0) return undefined;
  const sessionIds = placed.flatMap(({ jobId }) => places.get(jobId)?.sessionId ?? []);
  return { limited, placed, under: await lockRoom(session, limited, sessionIds, heldBack.limited) };
}

/** Before the jobs are stored: leaves those places out for whose jobs the limits have no room. Those jobs wait. */
export async function admitPlaces(
  session: Session,
  locked: LockedPlaces | undefined,
  given: Placement,
): Promise<Admitted> {
  const { places, ranks } = given;
  if (!locked) return { ...given, settle: async () => {} };
  const { limited, placed, under } = locked;
  const open = placed.filter(({ jobId }) => under.openSessions.has(places.get(jobId)?.sessionId ?? ''));
  const most = under.isOpen ? Math.min(under.room.jobs, open.length) : 0;
  const keys = most > 0 ? await readKeyRooms(session, open, under) : new Map();
  const candidates = open
    .map(({ jobId, limitId, rank }) => ({ jobId, limitId, rank: ranks?.get(jobId) ?? rank, bytes: 0 }))
    .sort((a, b) => a.rank - b.rank);
  const admitted = new Set(admit(candidates, roomsOf(keys), most, 0).admitted);
  const left = new Set(placed.flatMap(({ jobId }) => (admitted.has(jobId) ? [] : [jobId])));
  const limitIds = new Map(open.map(({ jobId, limitId }) => [jobId, limitId]));
  return {
    places: new Map([...places].filter(([jobId]) => !left.has(jobId))),
    ranks,
    limited,
    settle: (assigned, timeUs) => {
      const taken = [...admitted].flatMap((jobId) => (assigned.has(jobId) ? [limitIds.get(jobId)] : []));
      return takeUnitsOf(session, limited, under, keys, taken, timeUs);
    },
  };
}

async function readKeyRooms(session: Session, jobs: readonly NewJob[], under: LimitRoom): Promise<Keys> {
  const { keyLimit } = under.limits.definition ?? {};
  const limitIds = [...new Set(jobs.flatMap(({ limitId }) => limitId ?? []))];
  if (!keyLimit || limitIds.length === 0) return new Map();
  return keyRooms(await session.run(readKeys, [limitIds, keyLimit.maxConcurrency ?? 0]), under);
}
