package dev.muster.sdk.internal.core;

import com.google.protobuf.ByteString;
import dev.muster.sdk.MusterException;
import dev.muster.sdk.StopReason;
import dev.muster.sdk.internal.Times;
import dev.muster.v1.LogRecord;
import dev.muster.v1.Payload;
import dev.muster.v1.Progress;
import dev.muster.worker.v1.Assignment;
import dev.muster.worker.v1.AttemptReport;
import dev.muster.worker.v1.CancelNotice;
import dev.muster.worker.v1.OpenSessionResponse;
import dev.muster.worker.v1.ReleaseReason;
import dev.muster.worker.v1.SendHeartbeatRequest;
import dev.muster.worker.v1.SendHeartbeatResponse;
import dev.muster.worker.v1.SessionMessage;
import dev.muster.worker.v1.SuspendNotice;
import io.grpc.Status.Code;
import java.util.List;

/**
 * One session of the worker: its heartbeats, its subscription, its credits, and the attempts that
 * it holds.
 */
final class Session implements Attempts.Owner, BusLink.Owner, Outbox.Owner {
  private final ByteString id;
  private final SessionHost host;
  private final CorePorts ports;
  private final long beatInterval;
  private final Credits credits = new Credits();
  private final HeldList held = new HeldList();
  private final Updates updates = new Updates();
  private final Grants grants;
  private final Attempts attempts;
  private final Fence fence;
  private final Beats beats;
  private final LogBeats logBeats;
  private final Outbox outbox;
  private final BusLink bus;

  /** Rings when the fence, a waiting attempt or a run timeout is due. */
  private final Alarm alarm;

  private boolean ready;
  private boolean fenced;
  private boolean closed;

  /** The server requests quick heartbeats because the bus is down, and assigns in their replies. */
  private boolean servedInReplies;

  Session(SessionHost host, OpenSessionResponse opened, long openedAt) {
    this.host = host;
    ports = host.ports();
    id = opened.getSessionId();
    beatInterval =
        opened.hasBeatInterval()
            ? Times.millis(opened.getBeatInterval())
            : Limits.DEFAULT_BEAT_INTERVAL;
    long lease = opened.hasLease() ? Times.millis(opened.getLease()) : Limits.DEFAULT_LEASE;
    fence = new Fence(openedAt, lease);
    alarm = new Alarm(ports, this::watch);
    bus = new BusLink(ports, this);
    beats = new Beats(ports, beatInterval, this::beat);
    logBeats = new LogBeats(ports, beats, updates::pending);
    grants = new Grants(credits, held, host.slots(), host.rate());
    outbox = new Outbox(ports, id, grants, updates, this);
    attempts = new Attempts(host, held, credits, updates, opened.getMaxPayload(), this);
  }

  ByteString id() {
    return id;
  }

  /** May be called from any thread. */
  boolean mayEnter(long now) {
    return !fence.passed(now);
  }

  void start(OpenSessionResponse opened) {
    alarm.by(fence.at());
    bus.open(opened);
    beats.now();
  }

  /**
   * A handler has returned. {@link #advance} must be called once for all handlers that returned
   * together.
   */
  void ended(Execution execution, AttemptReport outcome) {
    attempts.ended(execution, outcome);
  }

  /** Starts waiting attempts, sends pending reports and offers free slots. */
  void advance() {
    if (closed) {
      return;
    }
    long now = ports.now();
    attempts.startWaiting(now);
    outbox.flush();
    int idle = host.slots().free() - credits.slots();
    if (idle > 0 && !outbox.active() && mayGrant(now)) {
      beats.within(Limits.OFFER_DELAY);
    }
    if (host.draining() && held.size() == 0) {
      host.sessionDrained();
    }
  }

  void progress(Execution execution, Progress progress) {
    if (attempts.progress(execution, progress)) {
      beats.within(Limits.PROGRESS_DELAY);
    }
  }

  void checkpoint(Execution execution, Payload checkpoint) {
    if (attempts.checkpoint(execution, checkpoint)) {
      beats.within(Limits.PROGRESS_DELAY);
    }
  }

  void log(Execution execution, LogRecord logged) {
    if (attempts.log(execution, logged)) {
      logBeats.logged();
    }
  }

  /**
   * The server ends an attempt soon after its run timeout, so it must learn of the extension before
   * that.
   */
  void extendRunTimeout(Execution execution, long extensionMs) {
    long left = execution.timeoutAt - ports.now();
    if (attempts.extendRunTimeout(execution, extensionMs)) {
      beats.within(Math.max(0, Math.min(Limits.PROGRESS_DELAY, left)));
    }
  }

  /** The number of slots has changed: all credits are voided and granted anew. */
  void regrant() {
    grants.voidAll();
    beats.within(0);
    advance();
  }

  void drain() {
    grants.voidAll();
    attempts.giveBackUnstarted(ReleaseReason.RELEASE_REASON_DRAIN);
    beats.within(0);
    advance();
  }

  /** Ends everything on this side. The session makes no callbacks afterwards. */
  void close(StopReason reason) {
    closed = true;
    beats.close();
    logBeats.close();
    outbox.close();
    alarm.cancel();
    bus.close();
    attempts.drop(reason);
  }

  /** Handles what is due. */
  void watch() {
    if (closed) {
      return;
    }
    long now = ports.now();
    if (fence.passed(now)) {
      fall();
    } else {
      alarm.by(fence.at());
    }
    attempts.watch(now);
    advance();
  }

  @Override
  public void received(SessionMessage message) {
    take(message.getAssignmentsList(), message.getCancelsList(), message.getSuspendsList());
  }

  @Override
  public void connected() {
    beats.now();
  }

  /**
   * Assignments under the current credits may be lost with the connection. New credits are granted
   * even while the bus is down, because replies to heartbeats then carry assignments.
   */
  @Override
  public void broken() {
    grants.voidAll();
    beats.within(Math.round(ports.random().getAsDouble() * Limits.RECONNECT_SPREAD));
  }

  /**
   * The server ignores credits of a session that it believes to receive nothing, so all credits are
   * granted anew in the heartbeat that carries the echo.
   */
  @Override
  public void pinged() {
    grants.voidAll();
    beats.now();
  }

  @Override
  public boolean mayGrant(long now) {
    boolean reachable = bus.echo() > 0 || servedInReplies;
    return reachable && !host.draining() && !fence.passed(now) && !outbox.backlogged();
  }

  @Override
  public void acknowledged(Held entry) {
    host.stats().acknowledged++;
    held.remove(entry);
  }

  @Override
  public void beatWanted() {
    beats.within(0);
  }

  @Override
  public void leaseLost() {
    if (!closed) {
      host.sessionLost();
    }
  }

  @Override
  public void settled() {
    advance();
  }

  @Override
  public boolean fenced(long now) {
    return fence.passed(now);
  }

  @Override
  public void report(Held entry, AttemptReport outcome) {
    outbox.add(entry, outcome);
  }

  @Override
  public void dueBy(long at) {
    alarm.by(at);
  }

  /**
   * Handles cancels first, so that a cancel in the same message as its assignment keeps the attempt
   * from starting.
   */
  private void take(
      List<Assignment> assignments, List<CancelNotice> cancels, List<SuspendNotice> suspends) {
    if (closed) {
      return;
    }
    long now = ports.now();
    for (CancelNotice cancel : cancels) {
      attempts.cancel(new AttemptKey(cancel.getJobId(), cancel.getAttempt()), now);
    }
    attempts.admitAll(assignments, now);
    for (SuspendNotice suspend : suspends) {
      attempts.suspend(new AttemptKey(suspend.getJobId(), suspend.getAttempt()));
    }
    advance();
  }

  private Beats.Beat beat(long sentAt) {
    long echo = bus.echo();
    grants.renew(sentAt);
    Grants.Terms terms = grants.compose(sentAt, mayGrant(sentAt));
    List<Updates.Sent> sent = updates.collect();
    long number = outbox.beatSent();
    SendHeartbeatRequest request =
        SendHeartbeatRequest.newBuilder()
            .setSessionId(id)
            .addAllHeldAttempts(held.messages())
            .addAllCredits(terms.credits())
            .addAllVoidedCreditIds(terms.voided())
            .addAllProgress(sent.stream().map(Updates.Sent::message).toList())
            .setPingEcho(echo)
            .setDraining(host.draining())
            .build();
    return new Beats.Beat() {
      @Override
      public void send(CorePorts.Answer<SendHeartbeatResponse> answer) {
        ports.api().sendHeartbeat(request, beatInterval, answer);
      }

      @Override
      public void answered(SendHeartbeatResponse response) {
        grants.answered(terms);
        updates.delivered(sent);
        outbox.beatOver(number, true);
        Session.this.answered(sentAt, response);
        if (echo > 0) {
          becomeReady();
        }
      }

      @Override
      public void failed(MusterException failure) {
        grants.failed(terms);
        // Updates that the server rejects must not cost the lease: they are not sent again.
        if (failure.code() == Code.INVALID_ARGUMENT) {
          updates.delivered(sent);
        }
        outbox.beatOver(number, false);
        beatFailed(failure);
      }
    };
  }

  private void answered(long sentAt, SendHeartbeatResponse response) {
    fence.extend(sentAt);
    servedInReplies = response.hasNextBeat() && Times.millis(response.getNextBeat()) < beatInterval;
    if (fenced && !fence.passed(ports.now())) {
      recover();
    }
    if (response.hasNatsCredentials()) {
      bus.renewCredentials(response.getNatsCredentials());
    }
    if (response.getReconnectBus()) {
      bus.reconnect(response.getNatsUrlsList());
    }
    if (updates.pending()) {
      beats.within(Limits.PROGRESS_DELAY);
    }
    if (response.getDrain()) {
      host.drain();
    }
    take(response.getAssignmentsList(), response.getCancelsList(), response.getSuspendsList());
  }

  private void beatFailed(MusterException failure) {
    if (CallFailure.isLeaseLost(failure)) {
      leaseLost();
      return;
    }
    ports.warn("a heartbeat failed: {0}: {1}", failure.code(), CallFailure.text(failure));
    advance();
  }

  private void becomeReady() {
    if (ready || closed) {
      return;
    }
    ready = true;
    ports.onEvent().accept(new CoreEvent.Ready());
  }

  /** The lease can't be proved any more. The session is kept and continues to send heartbeats. */
  private void fall() {
    if (fenced) {
      return;
    }
    fenced = true;
    host.stats().fences++;
    ports.warn("the lease can not be proved: handlers are stopped until a heartbeat is answered");
    grants.voidAll();
    attempts.abort();
    ports.onEvent().accept(new CoreEvent.Fenced());
  }

  private void recover() {
    fenced = false;
    alarm.by(fence.at());
    beats.within(0);
    ports.onEvent().accept(new CoreEvent.Recovered());
  }
}
