package dev.muster.sdk;

import java.util.OptionalLong;

/**
 * What a handler has done, as a count of units. With a total, Muster estimates from it when the
 * handler is done.
 *
 * @param done Units that are done, from 0; limited to 2^53 - 1.
 * @param total Units in all; limited to 2^53 - 1. Empty or below 0: not known.
 * @param unit What is counted, such as {@code rows}; cut after 32 characters. Empty: not said.
 */
public record ProgressCounts(long done, OptionalLong total, String unit) {
  /** Counts towards a total. */
  public static ProgressCounts of(long done, long total, String unit) {
    return new ProgressCounts(done, OptionalLong.of(total), unit);
  }

  /** Counts without a known total. */
  public static ProgressCounts of(long done, String unit) {
    return new ProgressCounts(done, OptionalLong.empty(), unit);
  }
}
