package dev.muster.sdk.internal.core;

import dev.muster.sdk.StopReason;
import dev.muster.sdk.internal.Times;
import dev.muster.v1.Assignment;
import dev.muster.v1.AttemptReport;
import dev.muster.v1.LogRecord;
import dev.muster.v1.Payload;
import dev.muster.v1.Progress;
import dev.muster.v1.ReleaseReason;
import java.util.List;

/** What becomes of each attempt of a session, from its arrival to the making of its report. */
final class Attempts {
  /** Whom the attempts belong to. */
  interface Owner {
    boolean fenced(long now);

    /** Queues the report that closes the attempt. */
    void report(Held held, AttemptReport outcome);

    /** Asks for {@link #watch} to be called at {@code at} at the latest. */
    void dueBy(long at);
  }

  private final SessionHost host;
  private final HeldList held;
  private final Credits credits;
  private final Updates updates;
  private final int maxPayload;
  private final Owner owner;
  private final Cancels cancels = new Cancels();

  /**
   * @param maxPayload Bytes of the largest result; 0: no bound.
   */
  Attempts(
      SessionHost host,
      HeldList held,
      Credits credits,
      Updates updates,
      int maxPayload,
      Owner owner) {
    this.host = host;
    this.held = held;
    this.credits = credits;
    this.updates = updates;
    this.maxPayload = maxPayload;
    this.owner = owner;
  }

  /**
   * Those of slots go first: a prefetched one may wait, and must not take the slot that another was
   * promised.
   */
  void admitAll(List<Assignment> assignments, long now) {
    for (Assignment assignment : assignments) {
      if (!assignment.getPrefetch()) {
        admit(assignment, now);
      }
    }
    for (Assignment assignment : assignments) {
      if (assignment.getPrefetch()) {
        admit(assignment, now);
      }
    }
  }

  private void admit(Assignment assignment, long now) {
    AttemptKey key = new AttemptKey(assignment.getJobId(), assignment.getAttempt());
    LiveCredit credit = credits.live(assignment.getCreditId(), now);
    boolean known = held.get(key) != null;
    boolean seen = credit != null && credit.hasSeen(key);
    Acceptance.Verdict verdict =
        new Acceptance(
                known,
                seen,
                owner.fenced(now),
                held.size() >= Limits.MAX_HELD,
                cancels.has(key, now),
                host.draining(),
                host.supports(assignment.getHandler(), assignment.getDefinitionVersion()),
                credit != null && (assignment.getPrefetch() ? credit.prefetch : credit.slots) > 0,
                assignment.getPrefetch() || host.places().free() > 0)
            .judge();
    if (verdict instanceof Acceptance.Verdict.Ignore) {
      if (known || seen) {
        host.stats().duplicates++;
      } else {
        host.stats().ignored++;
      }
      return;
    }
    Held entry = held.add(key, assignment);
    // The server has spent the place, whatever becomes of the attempt here.
    if (credit != null) {
      credits.spend(credit, entry.key, assignment.getPrefetch());
    }
    if (verdict instanceof Acceptance.Verdict.Release release) {
      release(entry, release.reason());
    } else {
      accept(entry, assignment, now);
    }
  }

  private void accept(Held entry, Assignment assignment, long now) {
    host.stats().accepted++;
    if (host.places().free() > 0) {
      start(entry, assignment, now);
    } else {
      held.await(entry, assignment, now + Limits.PREFETCH_WAIT);
      owner.dueBy(entry.expireAt);
    }
  }

  private void start(Held entry, Assignment assignment, long now) {
    long timeoutAt = now + runTimeout(assignment);
    Execution execution = host.places().take(entry, timeoutAt);
    entry.phase = Held.Phase.RUNNING;
    entry.execution = execution;
    owner.dueBy(timeoutAt);
    execution.running = host.ports().runner().start(execution, assignment);
  }

  private static long runTimeout(Assignment assignment) {
    return assignment.hasRunTimeout()
        ? Times.millis(assignment.getRunTimeout())
        : Limits.DEFAULT_RUN_TIMEOUT;
  }

  /** Starts what waits, as far as places are free. */
  void startWaiting(long now) {
    while (host.places().free() > 0 && !owner.fenced(now)) {
      Held entry = held.first();
      if (entry == null) {
        return;
      }
      Assignment assignment = held.leaveLine(entry);
      if (now >= entry.expireAt) {
        release(entry, ReleaseReason.RELEASE_REASON_NOT_STARTED);
      } else {
        start(entry, assignment, now);
      }
    }
  }

  void cancel(AttemptKey key, long now) {
    Held entry = held.get(key);
    if (entry == null) {
      cancels.remember(key, now);
    } else if (entry.phase != Held.Phase.CLOSING
        && !giveBack(entry, ReleaseReason.RELEASE_REASON_CANCELLED)) {
      signal(entry, StopReason.CANCELLED);
    }
  }

  /** The handler returned; what it works for, if anything still, is to be reported. */
  void ended(Execution execution, AttemptReport outcome) {
    if (execution.held != null) {
      close(execution, verdictOn(execution, outcome));
    }
  }

  /** False when nobody asks any more how far the handler is. */
  boolean progress(Execution execution, Progress progress) {
    if (execution.held != null) {
      updates.progress(execution.held, progress);
    }
    return execution.held != null;
  }

  /** False when nobody asks any more what the handler leaves. */
  boolean checkpoint(Execution execution, Payload checkpoint) {
    if (execution.held != null) {
      updates.checkpoint(execution.held, checkpoint);
    }
    return execution.held != null;
  }

  /** False when nobody asks any more what the handler logs. */
  boolean log(Execution execution, LogRecord logged) {
    if (execution.held != null) {
      updates.log(execution.held, logged);
    }
    return execution.held != null;
  }

  /**
   * False when it comes too late. The alarm rings at the old time, too, and finds that nothing is
   * due.
   */
  boolean extendRunTimeout(Execution execution, long extensionMs) {
    boolean late = execution.held == null || execution.stopped == StopReason.RUN_TIMEOUT;
    if (late || extensionMs <= execution.extensionMs) {
      return false;
    }
    execution.timeoutAt += extensionMs - execution.extensionMs;
    execution.extensionMs = extensionMs;
    updates.extendRunTimeout(execution.held, extensionMs);
    return true;
  }

  /** Gives back every attempt whose handler was not entered. */
  void giveBackUnstarted(ReleaseReason reason) {
    for (Held entry : held.entries()) {
      if (entry.phase != Held.Phase.CLOSING) {
        giveBack(entry, reason);
      }
    }
  }

  /** The fence fell: what may not go on without a lease is stopped and reported as aborted. */
  void abort() {
    giveBackUnstarted(ReleaseReason.RELEASE_REASON_NOT_STARTED);
    for (Execution execution : host.places().executions()) {
      if (execution.held == null || execution.held.continues) {
        continue;
      }
      execution.running.stop(StopReason.LEASE_LOST);
      execution.stopped = StopReason.LEASE_LOST;
      host.stats().aborted++;
      close(execution, Outcomes.aborted());
    }
  }

  /** The session is over: handlers are told, and what they return is dropped. */
  void drop(StopReason reason) {
    for (Execution execution : host.places().executions()) {
      if (execution.held == null) {
        continue;
      }
      execution.held = null;
      execution.stopped = reason;
      if (execution.running.withdraw()) {
        host.places().release(execution);
      } else {
        execution.running.stop(reason);
      }
    }
  }

  /** Does what is due by {@code now}, and asks to be called again for the next. */
  void watch(long now) {
    for (Held entry = held.first(); entry != null; entry = held.first()) {
      if (now < entry.expireAt) {
        owner.dueBy(entry.expireAt);
        break;
      }
      giveBack(entry, ReleaseReason.RELEASE_REASON_NOT_STARTED);
    }
    for (Execution execution : host.places().executions()) {
      if (execution.held != null) {
        watchTimeout(execution, now);
      }
    }
  }

  private void watchTimeout(Execution execution, long now) {
    if (execution.stopped == null && now >= execution.timeoutAt) {
      if (giveBack(execution.held, ReleaseReason.RELEASE_REASON_NOT_STARTED)) {
        return;
      }
      host.stats().timeouts++;
      signal(execution.held, StopReason.RUN_TIMEOUT);
      execution.graceAt = now + Limits.RUN_TIMEOUT_GRACE;
    }
    if (now >= execution.graceAt) {
      close(execution, Outcomes.runTimeout());
    } else {
      owner.dueBy(execution.stopped == null ? execution.timeoutAt : execution.graceAt);
    }
  }

  private void signal(Held entry, StopReason reason) {
    Execution execution = entry.execution;
    if (execution == null || execution.stopped != null) {
      return;
    }
    execution.stopped = reason;
    if (reason == StopReason.CANCELLED) {
      host.stats().cancels++;
    }
    execution.running.stop(reason);
  }

  /** Releases an attempt if its handler has not been entered. */
  private boolean giveBack(Held entry, ReleaseReason reason) {
    if (entry.execution != null) {
      if (!entry.execution.running.withdraw()) {
        return false;
      }
      host.places().release(entry.execution);
    } else if (entry.phase == Held.Phase.WAITING) {
      held.leaveLine(entry);
    }
    release(entry, reason);
    return true;
  }

  private void release(Held entry, ReleaseReason reason) {
    host.stats().released++;
    finish(entry, Outcomes.released(reason));
  }

  private AttemptReport verdictOn(Execution execution, AttemptReport outcome) {
    if (execution.stopped == StopReason.RUN_TIMEOUT) {
      return Outcomes.runTimeout();
    }
    // A success that comes first wins; only a handler that gave up because of the cancel is
    // cancelled.
    if (execution.stopped == StopReason.CANCELLED && !outcome.hasResult()) {
      return Outcomes.cancelled();
    }
    return Outcomes.withinSize(outcome, maxPayload);
  }

  /**
   * The attempt of a started handler gets its report. The place stays taken until the handler has
   * returned.
   */
  private void close(Execution execution, AttemptReport outcome) {
    Held entry = execution.held;
    execution.held = null;
    entry.started = true;
    finish(entry, outcome);
  }

  private void finish(Held entry, AttemptReport outcome) {
    entry.phase = Held.Phase.CLOSING;
    entry.execution = null;
    owner.report(entry, outcome);
  }
}
