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

  private final Owner owner;
  private CorePorts.BusConnection connection;

  /** Connections are made on other threads. */
  private volatile NatsCredentials credentials;

  private long echo;
  private boolean connected;
  private boolean heard;
  private boolean closed;

  BusLink(Owner owner) {
    this.owner = owner;
  }

  void open(CorePorts.Bus bus, OpenSessionResponse opened) {
    credentials = opened.getNatsCredentials();
    connection =
        bus.connect(
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

  void reconnect() {
    connection.reconnect();
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
    boolean broke = connected && !isConnected;
    connected = isConnected;
    heard = false;
    if (isConnected) {
      owner.connected();
    } else if (broke) {
      owner.broken();
    }
  }
}
