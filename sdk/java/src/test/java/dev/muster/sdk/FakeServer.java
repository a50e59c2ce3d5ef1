package dev.muster.sdk;

import io.grpc.BindableService;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.time.Duration;

/** A server for fake services, with a client of it. */
final class FakeServer implements AutoCloseable {
  private final Server server;
  final Client client;

  FakeServer(BindableService... services) {
    try {
      NettyServerBuilder builder =
          NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0));
      for (BindableService service : services) {
        builder.addService(service);
      }
      server = builder.build().start();
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
    client =
        Client.builder(address())
            .retry(new TransportRetry(3, Duration.ofMillis(1), Duration.ofMillis(2)))
            .build();
  }

  String address() {
    return "127.0.0.1:" + server.getPort();
  }

  @Override
  public void close() {
    client.close();
    server.shutdownNow();
  }
}
