package dev.muster.sdk.internal.core;

import com.google.protobuf.ByteString;
import dev.muster.worker.v1.Assignment;
import dev.muster.worker.v1.HeldAttempt;
import java.util.ArrayDeque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;

/**
 * The attempts that the session holds: accepted or being given back, until their report is
 * acknowledged.
 */
final class HeldList {
  private final Map<AttemptKey, Held> byKey = new LinkedHashMap<>();
  private final Queue<Held> line = new ArrayDeque<>();
  private int waiting;

  int size() {
    return byKey.size();
  }

  /** Attempts that wait for a slot. */
  int waiting() {
    return waiting;
  }

  Held get(AttemptKey key) {
    return byKey.get(key);
  }

  Held add(AttemptKey key, Assignment assignment) {
    // A copy: the received bytes may be a slice of a whole message, which would stay in memory as
    // long as the attempt.
    AttemptKey own = new AttemptKey(ByteString.copyFrom(key.jobId().toByteArray()), key.attempt());
    Held held = new Held(own, assignment);
    byKey.put(own, held);
    return held;
  }

  void await(Held held, Assignment assignment, long expireAt) {
    held.phase = Held.Phase.WAITING;
    held.assignment = assignment;
    held.expireAt = expireAt;
    line.add(held);
    waiting++;
  }

  /** Removes an attempt from the line, to be started or given back. */
  Assignment leaveLine(Held held) {
    Assignment assignment = held.assignment;
    held.assignment = null;
    held.phase = Held.Phase.CLOSING;
    waiting--;
    return assignment;
  }

  /** The attempt that has waited longest. Null: none waits. */
  Held first() {
    while (!line.isEmpty() && line.peek().phase != Held.Phase.WAITING) {
      line.remove();
    }
    return line.peek();
  }

  void remove(Held held) {
    byKey.remove(held.key, held);
  }

  /** A copy of the entries: the list may change during an iteration. */
  List<Held> entries() {
    return List.copyOf(byKey.values());
  }

  /** The held attempts for a heartbeat. */
  List<HeldAttempt> messages() {
    return byKey.values().stream().map(Held::message).toList();
  }
}
