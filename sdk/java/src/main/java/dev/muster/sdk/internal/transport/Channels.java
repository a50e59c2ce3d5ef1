package dev.muster.sdk.internal.transport;

import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/** Opens gRPC connections to Muster. */
public final class Channels {
  private static final int MAX_MESSAGE_BYTES = 8 * 1024 * 1024;
  private static final long RECONNECT_MS = 250;

  private Channels() {}

  /** Whether the address may name several replicas. */
  public static boolean namesSeveral(String address) {
    return address.startsWith("dns:");
  }

  /**
   * Opens a connection.
   *
   * @param address {@code host:port}, or any gRPC target that names several replicas, such as
   *     {@code dns:///muster:7070}.
   */
  public static ManagedChannel open(String address) {
    ManagedChannel channel =
        NettyChannelBuilder.forTarget(address)
            .usePlaintext()
            // A dead connection is detected within 15 s, even without calls in progress.
            .keepAliveTime(10, TimeUnit.SECONDS)
            .keepAliveTimeout(5, TimeUnit.SECONDS)
            .keepAliveWithoutCalls(true)
            .maxInboundMessageSize(MAX_MESSAGE_BYTES)
            // Calls alternate between the replicas that the address names.
            .defaultLoadBalancingPolicy("round_robin")
            .build();
    keepTrying(channel);
    return channel;
  }

  /**
   * A worker must send a heartbeat soon after the control plane is back, but the library's backoff
   * grows to two minutes and can't be configured: this cuts it short.
   */
  private static void keepTrying(ManagedChannel channel) {
    ConnectivityState state = channel.getState(false);
    if (state == ConnectivityState.SHUTDOWN) {
      return;
    }
    if (state == ConnectivityState.TRANSIENT_FAILURE) {
      later().execute(() -> tryAgain(channel));
    } else {
      channel.notifyWhenStateChanged(state, () -> keepTrying(channel));
    }
  }

  private static void tryAgain(ManagedChannel channel) {
    channel.resetConnectBackoff();
    keepTrying(channel);
  }

  private static Executor later() {
    long wait = RECONNECT_MS + ThreadLocalRandom.current().nextLong(RECONNECT_MS);
    return java.util.concurrent.CompletableFuture.delayedExecutor(wait, TimeUnit.MILLISECONDS);
  }
}
