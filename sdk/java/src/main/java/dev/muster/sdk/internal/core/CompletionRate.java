package dev.muster.sdk.internal.core;

/** Counts the handlers that ended in the last 200 ms: the prefetch depth. */
final class CompletionRate {
  private static final int BUCKETS = 10;
  private static final long BUCKET_MS = Limits.PREFETCH_WINDOW / BUCKETS;

  private final int[] counts = new int[BUCKETS];
  private int total;

  /** Number of the newest bucket, counted from the clock's zero. */
  private long newest = Long.MIN_VALUE / 2;

  void add(long now, int count) {
    advance(now);
    counts[index(newest)] += count;
    total += count;
  }

  int recent(long now) {
    advance(now);
    return total;
  }

  private void advance(long now) {
    long bucket = Math.floorDiv(now, BUCKET_MS);
    for (long b = Math.max(newest + 1, bucket - BUCKETS + 1); b <= bucket; b++) {
      total -= counts[index(b)];
      counts[index(b)] = 0;
    }
    newest = Math.max(newest, bucket);
  }

  private static int index(long bucket) {
    return Math.floorMod(bucket, BUCKETS);
  }
}
