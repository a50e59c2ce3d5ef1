package dev.muster.sdk.internal.worker;

import dev.muster.sdk.ProgressCounts;
import dev.muster.v1.Progress;

/** Progress as a handler reports it, within the limits of the contract. */
final class ProgressReports {
  private static final int MAX_MESSAGE = 256;
  private static final int MAX_UNIT = 32;
  private static final long MAX_COUNT = (1L << 53) - 1;

  private ProgressReports() {}

  static Progress of(double fraction, String message) {
    double within = Double.isNaN(fraction) ? 0 : Math.min(1, Math.max(0, fraction));
    return Progress.newBuilder()
        .setFraction(within)
        .setMessage(first(message, MAX_MESSAGE))
        .build();
  }

  static Progress of(ProgressCounts counts, String message) {
    long done = bounded(counts.done());
    Progress.Builder progress =
        Progress.newBuilder()
            .setMessage(first(message, MAX_MESSAGE))
            .setDone(done)
            .setUnit(first(counts.unit(), MAX_UNIT));
    if (counts.total().orElse(-1) >= 0) {
      long total = bounded(counts.total().getAsLong());
      progress.setTotal(total).setFraction(total == 0 ? 1 : Math.min(1, (double) done / total));
    }
    return progress.build();
  }

  private static long bounded(long count) {
    return Math.min(MAX_COUNT, Math.max(0, count));
  }

  private static String first(String text, int most) {
    return Texts.cut(text.substring(0, Math.min(most, text.length())), 4 * most);
  }
}
