package dev.muster.sdk.internal.core;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;

/** Pending reports, divided into calls that are limited in number and in bytes. */
final class ReportBatches {
  private final Queue<PendingReport> queue = new ArrayDeque<>();

  /** Batches that failed, whole or halved. They are sent before everything else. */
  private final Queue<List<PendingReport>> again = new ArrayDeque<>();

  private int count;
  private long bytes;

  /** Number of reports that are not in a call at the moment. */
  int size() {
    return count;
  }

  long bytes() {
    return bytes;
  }

  void add(PendingReport report) {
    queue.add(report);
    count++;
    bytes += report.bytes;
  }

  /** Returns a batch, which the next call takes unchanged. */
  void putBack(List<PendingReport> batch) {
    if (batch.isEmpty()) {
      return;
    }
    again.add(batch);
    count += batch.size();
    batch.forEach(report -> bytes += report.bytes);
  }

  List<PendingReport> take() {
    List<PendingReport> batch = again.isEmpty() ? fill() : again.remove();
    count -= batch.size();
    batch.forEach(report -> bytes -= report.bytes);
    return batch;
  }

  private List<PendingReport> fill() {
    List<PendingReport> batch = new ArrayList<>();
    long size = 0;
    while (!queue.isEmpty() && batch.size() < Limits.MAX_REPORTS) {
      size += queue.peek().bytes;
      if (size > Limits.MAX_REPORT_BYTES && !batch.isEmpty()) {
        break;
      }
      batch.add(queue.remove());
    }
    return batch;
  }
}
