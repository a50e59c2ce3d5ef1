package dev.muster.sdk.internal.core;

import dev.muster.v1.LogRecord;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/**
 * The newest unacknowledged log records of an attempt. When there are too many, only the oldest are
 * dropped.
 */
public final class LogTail {
  /** Size of the framing of one record. */
  private static final int FRAME_BYTES = 4;

  private final Deque<LogRecord> records = new ArrayDeque<>();
  private int bytes;

  int bytes() {
    return bytes;
  }

  boolean isEmpty() {
    return records.isEmpty();
  }

  /** Number of the newest record; 0 when there is none. */
  long lastSequence() {
    return isEmpty() ? 0 : records.getLast().getSequence();
  }

  public void add(LogRecord record) {
    records.add(record);
    bytes += sizeOf(record);
    while (bytes > Limits.MAX_LOG_BYTES && records.size() > 1) {
      shift();
    }
  }

  /** Removes the records that have arrived. */
  void confirm(long sequence) {
    while (!isEmpty() && records.getFirst().getSequence() <= sequence) {
      shift();
    }
  }

  List<LogRecord> records() {
    return List.copyOf(records);
  }

  /** Removes and returns all records. */
  public List<LogRecord> take() {
    List<LogRecord> all = records();
    records.clear();
    bytes = 0;
    return all;
  }

  private void shift() {
    bytes -= sizeOf(records.removeFirst());
  }

  private static int sizeOf(LogRecord record) {
    return FRAME_BYTES + record.getSerializedSize();
  }
}
