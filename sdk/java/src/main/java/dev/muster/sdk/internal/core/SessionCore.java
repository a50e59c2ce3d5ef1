package dev.muster.sdk.internal.core;

import dev.muster.sdk.MusterException;
import dev.muster.sdk.StopReason;
import dev.muster.sdk.WorkerStats;
import dev.muster.v1.Handler;
import dev.muster.v1.JobDefinition;
import dev.muster.v1.LogRecord;
import dev.muster.v1.Payload;
import dev.muster.v1.Progress;
import dev.muster.worker.v1.AttemptReport;
import dev.muster.worker.v1.CloseSessionRequest;
import dev.muster.worker.v1.OpenSessionRequest;
import dev.muster.worker.v1.OpenSessionResponse;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The worker's side of the dispatch protocol without any I/O: it opens sessions, accepts
 * assignments, passes them to handlers and reports the outcomes. When a session is lost, it opens
 * another one. It is confined to one thread, except for {@link #mayEnter}.
 */
public final class SessionCore implements SessionHost, Opener.Owner {
  /** The end of a handler; the outcome does not contain the attempt's id. */
  public record HandlerEnd(Execution execution, AttemptReport outcome) {}

  private final CorePorts ports;
  private OpenSessionRequest request;
  private final Map<String, Handler> handlers;
  private final Slots slots;
  private final CompletionRate rate = new CompletionRate();
  private final CoreStats stats = new CoreStats();
  private final Applier applier;
  private final Opener opener;

  /** Volatile, because threads of handlers read its fence. */
  private volatile Session session;

  private long openedAt;
  private boolean draining;
  private boolean closed;

  /**
   * @param definitions Applied before the first session is opened, in this order.
   * @param request Describes the worker when a session is opened, except for the request id. Its
   *     slots and handlers also decide which assignments are accepted.
   */
  public SessionCore(List<JobDefinition> definitions, OpenSessionRequest request, CorePorts ports) {
    this.request = request;
    this.ports = ports;
    handlers =
        request.getHandlersList().stream()
            .collect(Collectors.toMap(Handler::getName, Function.identity()));
    slots = new Slots(request.getSlots());
    opener = new Opener(ports, () -> this.request, this);
    applier = new Applier(ports, definitions, () -> opener.open(0), this::openingFailed);
  }

  public void start() {
    applier.advance();
  }

  /**
   * Whether the lease allows a handler to be entered now. If false, {@link #watch} must be called
   * first. May be called from any thread.
   */
  public boolean mayEnter() {
    Session present = session;
    return present == null || present.mayEnter(ports.now());
  }

  /** Handles what is due, even if timers are late. */
  public void watch() {
    if (session != null) {
      session.watch();
    }
  }

  /** Handlers have returned. The reports of handlers that returned together share a call. */
  public void handlersEnded(List<HandlerEnd> ends) {
    rate.add(ports.now(), ends.size());
    for (HandlerEnd end : ends) {
      if (slots.release(end.execution()) && session != null) {
        session.ended(end.execution(), end.outcome());
      }
    }
    if (session != null) {
      session.advance();
    }
  }

  public void progress(Execution execution, Progress progress) {
    if (session != null) {
      session.progress(execution, progress);
    }
  }

  public void checkpoint(Execution execution, Payload checkpoint) {
    if (session != null) {
      session.checkpoint(execution, checkpoint);
    }
  }

  public void log(Execution execution, LogRecord logged) {
    if (session != null) {
      session.log(execution, logged);
    }
  }

  /** The handler requests more time. {@code extensionMs} is the total requested so far. */
  public void extendRunTimeout(Execution execution, long extensionMs) {
    if (session != null) {
      session.extendRunTimeout(execution, extensionMs);
    }
  }

  /** Changes the maximum number of concurrent handlers. Running handlers continue. */
  public void setSlots(int total) {
    slots.resize(total);
    request = request.toBuilder().setSlots(total).build();
    if (session != null) {
      session.regrant();
    }
  }

  /**
   * Stops accepting attempts, gives back those not started, lets the others finish, then closes.
   */
  @Override
  public void drain() {
    if (draining || closed) {
      return;
    }
    draining = true;
    ports.onEvent().accept(new CoreEvent.Draining());
    if (session == null) {
      close();
    } else {
      session.drain();
    }
  }

  /** Stops every handler and ends the session; the server reassigns its attempts at once. */
  public void close() {
    Session last = session;
    if (!end()) {
      return;
    }
    if (last == null) {
      ports.onEvent().accept(new CoreEvent.Closed());
      return;
    }
    CloseSessionRequest message = CloseSessionRequest.newBuilder().setSessionId(last.id()).build();
    ports
        .api()
        .closeSession(
            message,
            Limits.CLOSE_TIMEOUT,
            (response, failure) -> {
              if (failure != null) {
                ports.warn(
                    "the session could not be closed; it lapses by itself: {0}",
                    CallFailure.text(failure));
              }
              ports.onEvent().accept(new CoreEvent.Closed());
            });
  }

  /** The current counters. */
  public WorkerStats statsNow() {
    return stats.now();
  }

  /** Stops everything on this side; false if that was done before. */
  private boolean end() {
    if (closed) {
      return false;
    }
    closed = true;
    applier.cancel();
    opener.cancel();
    if (session != null) {
      session.close(StopReason.SHUTDOWN);
      session = null;
    }
    return true;
  }

  @Override
  public void openingFailed(MusterException error) {
    if (end()) {
      ports.onEvent().accept(new CoreEvent.Failed(error));
    }
  }

  @Override
  public void sessionOpened(OpenSessionResponse response, long sentAt) {
    stats.sessions++;
    openedAt = ports.now();
    session = new Session(this, response, sentAt);
    ports.onEvent().accept(new CoreEvent.Opened(response.getSessionId(), response.getMaxPayload()));
    session.start(response);
  }

  /** Stops and drops everything of the session. Slots stay taken until their handlers return. */
  @Override
  public void sessionLost() {
    stats.sessionsLost++;
    session.close(StopReason.LEASE_LOST);
    session = null;
    ports.warn("the session was closed by the server; a new one is opened");
    ports.onEvent().accept(new CoreEvent.Lost());
    if (draining) {
      close();
    } else {
      opener.open(reopenDelay());
    }
  }

  /**
   * After a short session the next one is delayed, so that sessions are not opened and lost in a
   * tight loop.
   */
  private long reopenDelay() {
    if (ports.now() - openedAt >= Limits.SHORT_SESSION) {
      return 0;
    }
    return Math.round(Limits.SHORT_SESSION * (0.5 + 0.5 * ports.random().getAsDouble()));
  }

  @Override
  public void sessionDrained() {
    close();
  }

  @Override
  public boolean supports(String name, int version) {
    Handler handler = handlers.get(name);
    if (handler == null || version < handler.getMinVersion()) {
      return false;
    }
    return handler.getMaxVersion() == 0 || version <= handler.getMaxVersion();
  }

  @Override
  public CorePorts ports() {
    return ports;
  }

  @Override
  public Slots slots() {
    return slots;
  }

  @Override
  public CompletionRate rate() {
    return rate;
  }

  @Override
  public CoreStats stats() {
    return stats;
  }

  @Override
  public boolean draining() {
    return draining;
  }
}
