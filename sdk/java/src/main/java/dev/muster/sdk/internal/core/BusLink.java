package dev.muster.sdk.internal.core;

import dev.muster.v1.NatsCredentials;
import dev.muster.v1.OpenSessionResponse;
import dev.muster.v1.SessionMessage;

/** The session's subscription, and whether anything is heard over it. */
final class BusLink {
  /** Whom the subscription belongs to. */
  interface Owner {
    void received(SessionMessage message);

    /** The subscription is in force; nothing was heard over it yet. */
    void connected();

    /** The connection broke: what was on its way may be lost. */
    void broken();

    /** The first ping over the present connection has arrived. */
    void heard();
  }

  private final CorePorts ports;
  private final Owner owner;
  private CorePorts.BusConnection connection;

  /** Connections are made on other threads. */
  private volatile NatsCredentials credentials;

  private long echo;

  /** When the subscription came into force. {@code null}: it is not. */
  private Long connectedAt;

  private boolean heard;
  private boolean closed;

  BusLink(CorePorts ports, Owner owner) {
    this.ports = ports;
    this.owner = owner;
  }

  void open(OpenSessionResponse opened) {
    credentials = opened.getNatsCredentials();
    connection =
        ports
            .bus()
            .connect(
                new CorePorts.BusOptions(
                    opened.getNatsUrlsList(),
                    opened.getSubject(),
                    () -> credentials,
                    this::receive,
                    this::changed));
  }

  /** Highest ping heard in this session. 0: none. */
  long echo() {
    return echo;
  }

  /** To be used from the next connection on. */
  void renewCredentials(NatsCredentials renewed) {
    credentials = renewed;
  }

  /**
   * Gives the connection up that brings nothing. One that is new has had no time to, and where
   * there is none another one is on its way: giving up on these over and over would leave the
   * session deaf for ever.
   */
  void reconnect() {
    if (connectedAt != null && ports.now() >= connectedAt + Limits.HEARING_TIME) {
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
    if (!heard) {
      heard = true;
      owner.heard();
    }
  }

  private void changed(boolean isConnected) {
    if (closed) {
      return;
    }
    if (isConnected) {
      connectedAt = ports.now();
      // A ping may have come before the word that the subscription is in force: what it granted
      // stays good.
      owner.connected();
      return;
    }
    boolean broke = connectedAt != null || heard;
    connectedAt = null;
    heard = false;
    if (broke) {
      owner.broken();
    }
  }
}
