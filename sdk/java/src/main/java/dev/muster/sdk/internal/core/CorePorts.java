package dev.muster.sdk.internal.core;

import dev.muster.sdk.MusterException;
import dev.muster.sdk.StopReason;
import dev.muster.v1.Assignment;
import dev.muster.v1.CloseSessionRequest;
import dev.muster.v1.CloseSessionResponse;
import dev.muster.v1.HeartbeatRequest;
import dev.muster.v1.HeartbeatResponse;
import dev.muster.v1.NatsCredentials;
import dev.muster.v1.OpenSessionRequest;
import dev.muster.v1.OpenSessionResponse;
import dev.muster.v1.ReportAttemptsRequest;
import dev.muster.v1.ReportAttemptsResponse;
import dev.muster.v1.SessionMessage;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * What the core needs of the world: a worker gives it gRPC, NATS and a clock, a test gives it its
 * own. Whatever a port tells the core, it tells on the core's thread.
 *
 * @param clock Monotonic milliseconds.
 * @param timers Runs things later.
 * @param random From 0 up to but not including 1.
 * @param newId A new UUID, as text.
 * @param api SessionService.
 * @param bus Subscriptions.
 * @param runner Runs handlers.
 * @param onEvent Told what becomes of the session.
 * @param logger Told what is worth knowing.
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

  /** Runs things later. */
  public interface Timers {
    /** Runs {@code run} once, after {@code ms} milliseconds. What it answers takes that back. */
    Runnable after(long ms, Runnable run);
  }

  /** What a call ends with. */
  public interface Answer<T> {
    /** One of the two is null. */
    void accept(T response, MusterException failure);
  }

  /** SessionService. Each call is answered once, within {@code timeoutMs}, and never at once. */
  public interface SessionApi {
    void openSession(
        OpenSessionRequest request, long timeoutMs, Answer<OpenSessionResponse> answer);

    void heartbeat(HeartbeatRequest request, long timeoutMs, Answer<HeartbeatResponse> answer);

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
   * What a subscription is to be.
   *
   * @param urls Where the bus is.
   * @param subject What is subscribed to.
   * @param credentials The newest, asked for at each connection. An empty JWT: the bus asks for
   *     none.
   * @param onMessage Told each message.
   * @param onStatus Told true each time the subscription has come into force, false each time it is
   *     lost.
   */
  public record BusOptions(
      List<String> urls,
      String subject,
      Supplier<NatsCredentials> credentials,
      Consumer<SessionMessage> onMessage,
      Consumer<Boolean> onStatus) {}

  /** A subscription that keeps itself connected until it is closed. */
  public interface BusConnection {
    /** Drops the connection and makes a new one. */
    void reconnect();

    void close();
  }

  /** Runs handlers. */
  public interface Runner {
    /**
     * Has a handler run. Its place stays taken until {@link SessionCore#handlersEnded} names the
     * execution or {@link Running#withdraw} answers true.
     */
    Running start(Execution execution, Assignment assignment);
  }

  /** A handler that was handed its attempt. */
  public interface Running {
    /** Whether the handler has been entered. */
    boolean hasStarted();

    /**
     * Takes the attempt back if its handler has not been entered. True: it has not been and never
     * will be.
     */
    boolean withdraw();

    /** Signals the handler; it still has to return. */
    void stop(StopReason reason);
  }
}
