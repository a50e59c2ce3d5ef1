package dev.muster.sdk.internal.core;

import dev.muster.sdk.MusterException;
import dev.muster.sdk.StopReason;
import dev.muster.v1.ApplyJobDefinitionRequest;
import dev.muster.v1.ApplyJobDefinitionResponse;
import dev.muster.worker.v1.Assignment;
import dev.muster.worker.v1.CloseSessionRequest;
import dev.muster.worker.v1.CloseSessionResponse;
import dev.muster.worker.v1.NatsCredentials;
import dev.muster.worker.v1.OpenSessionRequest;
import dev.muster.worker.v1.OpenSessionResponse;
import dev.muster.worker.v1.ReportAttemptsRequest;
import dev.muster.worker.v1.ReportAttemptsResponse;
import dev.muster.worker.v1.SendHeartbeatRequest;
import dev.muster.worker.v1.SendHeartbeatResponse;
import dev.muster.worker.v1.SessionMessage;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * The interfaces that the core needs. A worker implements them with gRPC, NATS and a clock, tests
 * with fakes. Ports call the core back on the core's thread only.
 *
 * @param clock Monotonic milliseconds.
 * @param timers Runs tasks later.
 * @param random From 0 up to but not including 1.
 * @param newId A new UUID, as text.
 * @param api The calls of a worker.
 * @param bus Subscriptions.
 * @param runner Runs handlers.
 * @param onEvent Called with events of the session.
 * @param logger The worker's logger.
 */
public record CorePorts(
    LongSupplier clock,
    Timers timers,
    DoubleSupplier random,
    Supplier<String> newId,
    SessionApi api,
    Bus bus,
    Runner runner,
    Consumer<CoreEvent> onEvent,
    System.Logger logger) {

  long now() {
    return clock.getAsLong();
  }

  void warn(String message, Object... arguments) {
    logger.log(System.Logger.Level.WARNING, message, arguments);
  }

  /** Runs tasks later. */
  public interface Timers {
    /** Runs {@code run} once, after {@code ms} milliseconds. The returned task cancels it. */
    Runnable after(long ms, Runnable run);
  }

  /** Receives the result of a call. */
  public interface Answer<T> {
    /** One of the two is null. */
    void accept(T response, MusterException failure);
  }

  /**
   * SessionService, and the call that applies a definition. Each call is answered once, within
   * {@code timeoutMs}, and never before the method returns.
   */
  public interface SessionApi {
    void applyDefinition(
        ApplyJobDefinitionRequest request,
        long timeoutMs,
        Answer<ApplyJobDefinitionResponse> answer);

    void openSession(
        OpenSessionRequest request, long timeoutMs, Answer<OpenSessionResponse> answer);

    void sendHeartbeat(
        SendHeartbeatRequest request, long timeoutMs, Answer<SendHeartbeatResponse> answer);

    void reportAttempts(
        ReportAttemptsRequest request, long timeoutMs, Answer<ReportAttemptsResponse> answer);

    void closeSession(
        CloseSessionRequest request, long timeoutMs, Answer<CloseSessionResponse> answer);
  }

  /** Makes subscriptions. */
  public interface Bus {
    BusConnection connect(BusOptions options);
  }

  /**
   * Describes a subscription and its callbacks.
   *
   * @param urls Returns the newest addresses of the bus and is called for each connection.
   * @param subject The subject to subscribe to.
   * @param credentials Returns the newest credentials and is called for each connection. An empty
   *     JWT: the bus requires none.
   * @param onMessage Called with each message.
   * @param onStatus Called with true each time the subscription becomes active, with false each
   *     time it is lost.
   */
  public record BusOptions(
      Supplier<List<String>> urls,
      String subject,
      Supplier<NatsCredentials> credentials,
      Consumer<SessionMessage> onMessage,
      Consumer<Boolean> onStatus) {}

  /** A subscription that reconnects by itself until it is closed. */
  public interface BusConnection {
    /** Drops the connection and makes a new one. */
    void reconnect();

    void close();
  }

  /** Runs handlers. */
  public interface Runner {
    /**
     * Starts a handler. Its slot stays taken until {@link SessionCore#handlersEnded} names the
     * execution or {@link Running#withdraw} returns true.
     */
    Running start(Execution execution, Assignment assignment);
  }

  /** A handler that has received its attempt. */
  public interface Running {
    /** Whether the handler has been entered. */
    boolean hasStarted();

    /**
     * Takes the attempt back if its handler was not entered. Returns true if the handler never was
     * and never will be entered.
     */
    boolean withdraw();

    /** Signals the handler; it still has to return. */
    void stop(StopReason reason);
  }
}
