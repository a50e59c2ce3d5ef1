package dev.muster.sdk.internal.core;

import dev.muster.sdk.WorkerStats;

/** Counters. They only increase. */
final class CoreStats {
  long sessions;
  long sessionsLost;
  long accepted;
  long duplicates;
  long ignored;
  long released;
  long aborted;
  long fences;
  long timeouts;
  long cancels;
  long acknowledged;

  WorkerStats now() {
    return new WorkerStats(
        sessions,
        sessionsLost,
        accepted,
        duplicates,
        ignored,
        released,
        aborted,
        fences,
        timeouts,
        cancels,
        acknowledged);
  }
}
