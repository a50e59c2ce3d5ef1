package dev.muster.sdk.internal.core;

import dev.muster.sdk.StopReason;
import dev.muster.sdk.internal.Times;
import dev.muster.v1.LogRecord;
import dev.muster.v1.Payload;
import dev.muster.v1.Progress;
import dev.muster.worker.v1.Assignment;
import dev.muster.worker.v1.AttemptReport;
import dev.muster.worker.v1.ReleaseReason;
import java.util.List;

/** Handles each attempt of a session, from its arrival until its report is made. */
final class Attempts {
  /** The owner of the attempts. */
  interface Owner {
    boolean fenced(long now);

    /** Queues the report that closes the attempt. */
    void report(Held held, AttemptReport outcome);

    /** Asks for a call of {@link #watch} no later than {@code at}. */
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
   * @param maxPayload Maximum size of a result in bytes; 0: no limit.
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
   * Admits assignments for slots first: a prefetched attempt may wait, and must not take a slot
   * that was promised to another.
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
                assignment.getPrefetch() || host.slots().free() > 0)
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
    // The server has spent the permit, whatever the verdict here.
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
    if (host.slots().free() > 0) {
      start(entry, assignment, now);
    } else {
      held.await(entry, assignment, now + Limits.PREFETCH_WAIT);
      owner.dueBy(entry.expireAt);
    }
  }

  private void start(Held entry, Assignment assignment, long now) {
    long timeoutAt = now + runTimeout(assignment);
    Execution execution = host.slots().take(entry, timeoutAt);
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

  /** Starts waiting attempts while slots are free. */
  void startWaiting(long now) {
    while (host.slots().free() > 0 && !owner.fenced(now)) {
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

  /** Every heartbeat repeats it, so a request that overtakes its assignment is dropped. */
  void suspend(AttemptKey key) {
    Held entry = held.get(key);
    if (entry != null
        && entry.phase != Held.Phase.CLOSING
        && !giveBack(entry, ReleaseReason.RELEASE_REASON_SUSPENDED)) {
      signal(entry, StopReason.SUSPENDED);
    }
  }

  /** The handler has returned. Its attempt is reported if it is still held. */
  void ended(Execution execution, AttemptReport outcome) {
    if (execution.held != null) {
      close(execution, verdictOn(execution, outcome));
    }
  }

  /** Returns false if the attempt is no longer held. */
  boolean progress(Execution execution, Progress progress) {
    if (execution.held != null) {
      updates.progress(execution.held, progress);
    }
    return execution.held != null;
  }

  /** Returns false if the attempt is no longer held. */
  boolean checkpoint(Execution execution, Payload checkpoint) {
    if (execution.held != null) {
      updates.checkpoint(execution.held, checkpoint);
    }
    return execution.held != null;
  }

  /** Returns false if the attempt is no longer held. */
  boolean log(Execution execution, LogRecord logged) {
    if (execution.held != null) {
      updates.log(execution.held, logged);
    }
    return execution.held != null;
  }

  /**
   * Returns false when it comes too late. The alarm also rings at the old time; nothing is due
   * then.
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

  /**
   * The fence has passed. Attempts that must not continue without a lease are stopped and reported
   * as aborted.
   */
  void abort() {
    giveBackUnstarted(ReleaseReason.RELEASE_REASON_NOT_STARTED);
    for (Execution execution : host.slots().executions()) {
      if (execution.held == null || execution.held.continues) {
        continue;
      }
      execution.running.stop(StopReason.LEASE_LOST);
      execution.stopped = StopReason.LEASE_LOST;
      host.stats().aborted++;
      close(execution, Outcomes.aborted());
    }
  }

  /** The session is over. Handlers are asked to stop, and their results are dropped. */
  void drop(StopReason reason) {
    for (Execution execution : host.slots().executions()) {
      if (execution.held == null) {
        continue;
      }
      execution.held = null;
      execution.stopped = reason;
      if (execution.running.withdraw()) {
        host.slots().release(execution);
      } else {
        execution.running.stop(reason);
      }
    }
  }

  /** Handles what is due by {@code now}, and asks to be called again when the next thing is. */
  void watch(long now) {
    for (Held entry = held.first(); entry != null; entry = held.first()) {
      if (now < entry.expireAt) {
        owner.dueBy(entry.expireAt);
        break;
      }
      giveBack(entry, ReleaseReason.RELEASE_REASON_NOT_STARTED);
    }
    for (Execution execution : host.slots().executions()) {
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

  /** Releases an attempt if its handler was not entered. */
  private boolean giveBack(Held entry, ReleaseReason reason) {
    if (entry.execution != null) {
      if (!entry.execution.running.withdraw()) {
        return false;
      }
      host.slots().release(entry.execution);
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
    // A success that comes first wins. Only a handler that stopped because of the request is
    // reported so.
    if (execution.stopped == StopReason.CANCELLED && !outcome.hasResult()) {
      return Outcomes.cancelled();
    }
    if (execution.stopped == StopReason.SUSPENDED && outcome.hasFailure()) {
      return Outcomes.suspended(List.of());
    }
    return Outcomes.withinSize(outcome, maxPayload);
  }

  /**
   * Queues the report for the attempt of an entered handler. The slot stays taken until the handler
   * has returned.
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
