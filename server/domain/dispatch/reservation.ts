/**
 * Keeping a session free for a job that finds no room. Jobs that take little would else fill each gap before there is one
 * that is large enough.
 */
import { type Amounts, fitCount, shortage, type Taken } from './resources.ts';

/** How long a lane's first job goes without room until a session is kept free for it. */
export const RESERVE_AFTER_MS = 5_000;
/** A lane that has asked for nothing for this long waits no more: what it waited with was cancelled, or held back. */
export const RESERVATION_LIFE_MS = 10_000;

/** An open session that could run the lane's jobs, were it empty. */
export interface SessionCapacity {
  readonly sessionId: string;
  readonly resources: Amounts;
  readonly taken: readonly Taken[];
  /** It is kept free for another lane. */
  readonly isReserved: boolean;
}

/** A lane whose jobs are ready and find no room. */
export interface Reservation {
  readonly sinceUs: number;
  readonly askedUs: number;
  /** What is kept free for it. */
  readonly sessionId: string | undefined;
}

export function isAlive({ askedUs }: Reservation, nowUs: number): boolean {
  return nowUs - askedUs < RESERVATION_LIFE_MS * 1_000;
}

/** How many jobs of a lane may be assigned to each session. None to one that is kept free for another lane. */
export function fitCounts(needs: Amounts, sessions: readonly SessionCapacity[]): Map<string, number> {
  const fitCountOf = (one: SessionCapacity) => (one.isReserved ? 0 : fitCount(needs, one.resources, one.taken));
  return new Map(sessions.map((one) => [one.sessionId, fitCountOf(one)]));
}

/**
 * What becomes of the wait of a lane that has just found no room. A session is kept until the lane has got something: to
 * change over to another one would begin the waiting anew.
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

/** The session that has to give back least. */
function nearest(needs: Amounts, sessions: readonly SessionCapacity[]): string | undefined {
  const lack = (one: SessionCapacity) => shortage(needs, one.resources, one.taken);
  const free = sessions.filter(({ isReserved }) => !isReserved);
  const [best] = free.sort((a, b) => lack(a) - lack(b) || (a.sessionId < b.sessionId ? -1 : 1));
  return best?.sessionId;
}
