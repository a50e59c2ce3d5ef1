package dev.muster.sdk;

import dev.muster.sdk.internal.transport.Channels;
import dev.muster.sdk.internal.worker.Tracing;
import io.opentelemetry.api.OpenTelemetry;
import java.time.Duration;
import java.util.Objects;

/** Configures a client. */
public final class ClientBuilder {
  private final String address;
  private String namespace = "";
  private Duration timeout = Duration.ofSeconds(15);
  private TransportRetry retry = TransportRetry.DEFAULT;
  private PayloadCodec codec = PayloadCodec.standard();
  private OpenTelemetry openTelemetry;

  ClientBuilder(String address) {
    this.address = Objects.requireNonNull(address, "address");
  }

  /** The namespace of all calls. Default: {@code default}. */
  public ClientBuilder namespace(String namespace) {
    this.namespace = Objects.requireNonNull(namespace, "namespace");
    return this;
  }

  /** Maximum duration of a call, repeats included. Default: 15 seconds. */
  public ClientBuilder timeout(Duration timeout) {
    this.timeout = Objects.requireNonNull(timeout, "timeout");
    return this;
  }

  /** How calls are repeated while the control plane can't be reached. */
  public ClientBuilder retry(TransportRetry retry) {
    this.retry = Objects.requireNonNull(retry, "retry");
    return this;
  }

  /** How inputs and results are encoded. Default: {@link PayloadCodec#standard}. */
  public ClientBuilder codec(PayloadCodec codec) {
    this.codec = Objects.requireNonNull(codec, "codec");
    return this;
  }

  /**
   * The OpenTelemetry that traces submissions. Default: the global one, if the program has set it.
   */
  public ClientBuilder openTelemetry(OpenTelemetry openTelemetry) {
    this.openTelemetry = Objects.requireNonNull(openTelemetry, "openTelemetry");
    return this;
  }

  /** Builds the client. It connects on the first call. */
  public Client build() {
    return new Client(
        new AsyncClient(
            new ClientCalls(
                Channels.open(address),
                address,
                namespace,
                timeout,
                retry,
                codec,
                new Tracing(openTelemetry),
                "",
                "")));
  }
}
