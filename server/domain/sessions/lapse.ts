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

/** Stateless, so that all replicas decide the same. `open` includes the lapsed sessions. */
export function judgeLapsed(
  lapsed: readonly LapsedSession[],
  open: number,
  nowUs: number,
  leaseUs: number,
): LapseVerdict {
  const massLapse = lapsed.length > Math.max(FEW, SHARE * open);
  const close = lapsed.filter((session) => session.leaseUntilUs + (massLapse ? leaseUs : 0) <= nowUs);
  return { close: close.map((session) => session.sessionId), massLapse };
}
