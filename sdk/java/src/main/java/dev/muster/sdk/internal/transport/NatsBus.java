package dev.muster.sdk.internal.transport;

import dev.muster.sdk.internal.core.CorePorts.Bus;
import dev.muster.sdk.internal.core.CorePorts.BusConnection;
import dev.muster.sdk.internal.core.CorePorts.BusOptions;
import java.util.concurrent.Executor;

/** Makes subscriptions over NATS. */
public final class NatsBus implements Bus {
  private final Executor coreThread;
  private final System.Logger logger;

  public NatsBus(Executor coreThread, System.Logger logger) {
    this.coreThread = coreThread;
    this.logger = logger;
  }

  @Override
  public BusConnection connect(BusOptions options) {
    NatsSubscription subscription = new NatsSubscription(options, coreThread, logger);
    Thread thread = new Thread(subscription::keepConnected, "muster-bus");
    thread.setDaemon(true);
    thread.start();
    return subscription;
  }
}
