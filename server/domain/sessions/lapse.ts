/**
 * Which lapsed sessions a sweeper may close: a few at once are lost workers, many at once are an outage on our side.
 */

export interface LapsedSession {
  readonly sessionId: string;
  readonly leaseUntilUs: number;
}

export interface LapseVerdict {
  readonly close: readonly string[];
  /** Alarm: so many sessions lapsed at once that the fault is ours, and no job is charged. */
  readonly massLapse: boolean;
}

const FEW = 10;
const SHARE = 0.2;

export interface LapseFacts {
  /** All lapsed sessions, of which only a page may be judged. */
  readonly lapsedCount: number;
  /** Open sessions, the lapsed ones included. */
  readonly openCount: number;
  readonly nowUs: number;
  readonly leaseUs: number;
}

/** Stateless, so that all replicas decide the same. */
export function judgeLapsed(
  lapsed: readonly LapsedSession[],
  { lapsedCount, openCount, nowUs, leaseUs }: LapseFacts,
): LapseVerdict {
  const massLapse = lapsedCount > Math.max(FEW, SHARE * openCount);
  const close = lapsed.filter((session) => session.leaseUntilUs + (massLapse ? leaseUs : 0) <= nowUs);
  return { close: close.map((session) => session.sessionId), massLapse };
}
