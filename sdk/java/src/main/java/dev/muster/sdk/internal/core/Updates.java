package dev.muster.sdk.internal.core;

import dev.muster.sdk.internal.Times;
import dev.muster.v1.LogRecord;
import dev.muster.v1.Payload;
import dev.muster.v1.Progress;
import dev.muster.worker.v1.ProgressUpdate;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Progress, checkpoints and log records that no heartbeat has carried yet. */
final class Updates {
  /** Maximum size of an update without its checkpoint and its log records. */
  private static final int UPDATE_BYTES = 400;

  /** The content of one heartbeat for an attempt, so that the answer can be matched. */
  record Sent(Held held, long sequence, long logged, ProgressUpdate message) {}

  private final Set<Held> changed = new LinkedHashSet<>();

  boolean pending() {
    return !changed.isEmpty();
  }

  void progress(Held held, Progress progress) {
    change(held).progress = progress;
  }

  void checkpoint(Held held, Payload checkpoint) {
    change(held).checkpoint = checkpoint;
  }

  void extendRunTimeout(Held held, long extensionMs) {
    change(held).extensionMs = extensionMs;
  }

  void log(Held held, LogRecord logged) {
    if (held.logs == null) {
      held.logs = new LogTail();
    }
    held.logs.add(logged);
    changed.add(held);
  }

  /** The changes that fit into one heartbeat, and always at least the first one. */
  List<Sent> collect() {
    List<Sent> sent = new ArrayList<>();
    int bytes = 0;
    for (Held held : changed) {
      bytes += sizeOf(held);
      boolean fits = bytes <= Limits.MAX_UPDATE_BYTES && sent.size() < Limits.MAX_UPDATES;
      if (!fits && !sent.isEmpty()) {
        break;
      }
      sent.add(sentOf(held));
    }
    return sent;
  }

  /** A heartbeat was answered: values that have not changed since are not sent again. */
  void delivered(List<Sent> sent) {
    for (Sent one : sent) {
      Held held = one.held();
      if (held.logs != null) {
        held.logs.confirm(one.logged());
      }
      if (held.update != null && held.update.sequence == one.sequence()) {
        held.update.delivered = one.sequence();
        held.update.checkpoint = null;
      }
      boolean logged = held.logs != null && !held.logs.isEmpty();
      if (!logged && (held.update == null || !held.update.hasChanges())) {
        changed.remove(held);
      }
    }
  }

  /** The attempt is over: its pending update is dropped, and its log is sent with its report. */
  void drop(Held held) {
    changed.remove(held);
  }

  private AttemptUpdate change(Held held) {
    if (held.update == null) {
      held.update = new AttemptUpdate();
    }
    held.update.sequence++;
    changed.add(held);
    return held.update;
  }

  private static int sizeOf(Held held) {
    int bytes = UPDATE_BYTES;
    if (held.update != null && held.update.checkpoint != null) {
      bytes += held.update.checkpoint.getSerializedSize();
    }
    return held.logs == null ? bytes : bytes + held.logs.bytes();
  }

  private static Sent sentOf(Held held) {
    AttemptUpdate update = held.update;
    long logged = held.logs == null ? 0 : held.logs.lastSequence();
    return new Sent(held, update == null ? 0 : update.sequence, logged, messageOf(held));
  }

  /** If only log records are new, the message carries nothing else. */
  private static ProgressUpdate messageOf(Held held) {
    AttemptUpdate update = held.update;
    ProgressUpdate.Builder message =
        ProgressUpdate.newBuilder()
            .setJobId(held.key.jobId())
            .setAttempt(held.key.attempt())
            .setSequence(update == null ? 0 : update.sequence);
    if (update != null && update.hasChanges()) {
      if (update.progress != null) {
        message.setProgress(update.progress);
      }
      if (update.checkpoint != null) {
        message.setCheckpoint(update.checkpoint);
      }
      if (update.extensionMs > 0) {
        message.setRunTimeoutExtension(Times.durationOfMillis(update.extensionMs));
      }
    }
    if (held.logs != null) {
      message.addAllLogs(held.logs.records());
    }
    return message.build();
  }
}
