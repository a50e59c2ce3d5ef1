package dev.muster.sdk.internal.core;

import dev.muster.worker.v1.NatsCredentials;
import dev.muster.worker.v1.OpenSessionResponse;
import dev.muster.worker.v1.SessionMessage;
import java.util.List;

/** The session's subscription. It tracks whether messages arrive over it. */
final class BusLink {
  /** The owner of the subscription. */
  interface Owner {
    void received(SessionMessage message);

    /** The subscription is active; no ping has been received over it yet. */
    void connected();

    /** The connection broke; messages in transit may be lost. */
    void broken();

    /** The first ping over the current connection has arrived. */
    void pinged();
  }

  private final CorePorts ports;
  private final Owner owner;
  private CorePorts.BusConnection connection;

  /** Volatile, because connections are made on other threads. */
  private volatile List<String> urls;

  private volatile NatsCredentials credentials;

  private long echo;

  /** When the subscription became active. {@code null}: it is not. */
  private Long connectedAt;

  private boolean pinged;
  private boolean closed;

  BusLink(CorePorts ports, Owner owner) {
    this.ports = ports;
    this.owner = owner;
  }

  void open(OpenSessionResponse opened) {
    urls = opened.getNatsUrlsList();
    credentials = opened.getNatsCredentials();
    connection =
        ports
            .bus()
            .connect(
                new CorePorts.BusOptions(
                    () -> urls,
                    opened.getSubject(),
                    () -> credentials,
                    this::receive,
                    this::changed));
  }

  /** Highest ping received in this session. 0: none. */
  long echo() {
    return echo;
  }

  /** Sets the credentials for the next connection. */
  void renewCredentials(NatsCredentials renewed) {
    credentials = renewed;
  }

  /**
   * Replaces a connection that delivers nothing. It leaves a new connection alone, which has not
   * had the time to, and does nothing without a connection, because another one is being made:
   * replacing these again and again would keep the session from ever receiving anything. The next
   * connection is made to the newest addresses, if there are any.
   */
  void reconnect(List<String> newest) {
    if (!newest.isEmpty()) {
      urls = newest;
    }
    if (connectedAt != null && ports.now() >= connectedAt + Limits.FIRST_PING_TIME) {
      connection.reconnect();
    }
  }

  void close() {
    closed = true;
    connection.close();
  }

  private void receive(SessionMessage message) {
    if (closed) {
      return;
    }
    owner.received(message);
    if (message.getPing() <= echo) {
      return;
    }
    echo = message.getPing();
    if (!pinged) {
      pinged = true;
      owner.pinged();
    }
  }

  private void changed(boolean isConnected) {
    if (closed) {
      return;
    }
    if (isConnected) {
      connectedAt = ports.now();
      // A ping may arrive before the status that the subscription is active; its credits stay
      // valid.
      owner.connected();
      return;
    }
    boolean broke = connectedAt != null || pinged;
    connectedAt = null;
    pinged = false;
    if (broke) {
      owner.broken();
    }
  }
}
