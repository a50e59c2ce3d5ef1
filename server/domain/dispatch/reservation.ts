/**
 * Reserves a session for a job that finds no capacity. Otherwise small jobs would fill every gap before one is large
 * enough.
 */
import { type Amounts, fitCount, shortage, type Taken } from './resources.ts';

/** How long a lane's first job goes without capacity before a session is reserved for it. */
export const RESERVE_AFTER_MS = 5_000;
/** A lane that has not asked for this long no longer waits: its job was cancelled or paused. */
export const RESERVATION_LIFE_MS = 10_000;

/** An open session that could run the lane's jobs if it were empty. */
export interface SessionCapacity {
  readonly sessionId: string;
  readonly resources: Amounts;
  readonly taken: readonly Taken[];
  /** It is reserved for another lane. */
  readonly isReserved: boolean;
}

/** A lane whose ready jobs find no capacity. */
export interface Reservation {
  readonly sinceUs: number;
  readonly askedUs: number;
  /** The session that is reserved for it. */
  readonly sessionId: string | undefined;
}

/** One that was asked for in the future, while the clock was ahead, is not. */
export function isAlive({ askedUs }: Reservation, nowUs: number): boolean {
  return Math.abs(nowUs - askedUs) < RESERVATION_LIFE_MS * 1_000;
}

/** How many jobs of a lane may be assigned to each session; 0 for a session that is reserved for another lane. */
export function fitCounts(needs: Amounts, sessions: readonly SessionCapacity[]): Map<string, number> {
  const fitCountOf = (one: SessionCapacity) => (one.isReserved ? 0 : fitCount(needs, one.resources, one.taken));
  return new Map(sessions.map((one) => [one.sessionId, fitCountOf(one)]));
}

/**
 * Updates the reservation of a lane that has just found no capacity. The lane keeps the same session until it is
 * served: changing to another one would start the wait again.
 */
export function reserve(
  before: Reservation | undefined,
  needs: Amounts,
  sessions: readonly SessionCapacity[],
  nowUs: number,
): Reservation {
  if (!before || !isAlive(before, nowUs)) return { sinceUs: nowUs, askedUs: nowUs, sessionId: undefined };
  const isLong = nowUs - before.sinceUs >= RESERVE_AFTER_MS * 1_000;
  return { ...before, askedUs: nowUs, sessionId: before.sessionId ?? (isLong ? nearest(needs, sessions) : undefined) };
}

/** The session that has to free the least. */
function nearest(needs: Amounts, sessions: readonly SessionCapacity[]): string | undefined {
  const lack = (one: SessionCapacity) => shortage(needs, one.resources, one.taken);
  const free = sessions.filter(({ isReserved }) => !isReserved);
  const [best] = free.sort((a, b) => lack(a) - lack(b) || (a.sessionId < b.sessionId ? -1 : 1));
  return best?.sessionId;
}
