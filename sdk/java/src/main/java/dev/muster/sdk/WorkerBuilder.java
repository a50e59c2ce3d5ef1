package dev.muster.sdk;

import dev.muster.sdk.internal.core.Places;
import dev.muster.sdk.internal.worker.RegisteredHandler;
import dev.muster.sdk.internal.worker.SdkVersion;
import dev.muster.sdk.internal.worker.Tracing;
import dev.muster.sdk.internal.worker.WorkerRun;
import dev.muster.v1.OpenSessionRequest;
import io.opentelemetry.api.OpenTelemetry;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.function.Consumer;

/** Says what a worker is to be. */
public final class WorkerBuilder {
  private static final int DEFAULT_SLOTS = 10;

  private final String address;
  private final OpenSessionRequest.Builder request = OpenSessionRequest.newBuilder();
  private Executor executor;
  private PayloadCodec codec = PayloadCodec.standard();
  private OpenTelemetry openTelemetry;
  private System.Logger logger = System.getLogger("dev.muster.sdk");
  private Consumer<WorkerEvent> onEvent = event -> {};
  private boolean signals;
  private Duration stopTimeout = Duration.ofSeconds(30);

  WorkerBuilder(String address, String name) {
    this.address = Objects.requireNonNull(address, "address");
    request
        .setWorkerName(name)
        .setProtocolVersion(SdkVersion.PROTOCOL_VERSION)
        .setSdk(SdkVersion.message())
        .setSlots(DEFAULT_SLOTS);
  }

  /** Default: {@code default}. */
  public WorkerBuilder namespace(String namespace) {
    request.setNamespace(namespace);
    return this;
  }

  /**
   * Handlers that may run at once, from 1 to 10,000. Default: 10.
   *
   * @throws IllegalArgumentException when it is not.
   */
  public WorkerBuilder slots(int slots) {
    request.setSlots(Places.checkedSlots(slots));
    return this;
  }

  /** Adds labels that jobs may demand. At most 64. */
  public WorkerBuilder labels(Map<String, String> labels) {
    request.putAllLabels(labels);
    return this;
  }

  /**
   * Adds totals, of which jobs take what they demand, such as {@code Map.of("cpu", 8.0, "gpu",
   * 2.0)}: cores, bytes, devices. Other names mean what you say. At most 16.
   */
  public WorkerBuilder resources(Map<String, Double> resources) {
    request.putAllResources(resources);
    return this;
  }

  /**
   * Where handlers run. It must start each at once: one that queues has handlers wait under a
   * running run timeout. Default: platform threads of the worker's own, at most one a slot. On Java
   * 21, {@code Executors.newVirtualThreadPerTaskExecutor()} serves many slots.
   */
  public WorkerBuilder executor(Executor executor) {
    this.executor = Objects.requireNonNull(executor, "executor");
    return this;
  }

  /** How inputs and results are written. Default: {@link PayloadCodec#standard}. */
  public WorkerBuilder codec(PayloadCodec codec) {
    this.codec = Objects.requireNonNull(codec, "codec");
    return this;
  }

  /** What handlers are traced with. Default: the global one, if the program has set it. */
  public WorkerBuilder openTelemetry(OpenTelemetry openTelemetry) {
    this.openTelemetry = Objects.requireNonNull(openTelemetry, "openTelemetry");
    return this;
  }

  /** Where the worker and {@link JobContext#log} write. Default: that of {@code dev.muster.sdk}. */
  public WorkerBuilder logger(System.Logger logger) {
    this.logger = Objects.requireNonNull(logger, "logger");
    return this;
  }

  /** Told what becomes of the worker's session, on a thread that must not be held up. */
  public WorkerBuilder onEvent(Consumer<WorkerEvent> listener) {
    onEvent = Objects.requireNonNull(listener, "listener");
    return this;
  }

  /**
   * Whether SIGINT and SIGTERM stop the worker, and {@link Worker#run} then returns; a second one
   * does not wait for handlers. Default: false.
   */
  public WorkerBuilder signals(boolean listen) {
    signals = listen;
    return this;
  }

  /** How long {@link Worker#close} and signals wait for handlers. Default: 30 seconds. */
  public WorkerBuilder stopTimeout(Duration timeout) {
    stopTimeout = Objects.requireNonNull(timeout, "timeout");
    return this;
  }

  /** Makes the worker. It connects when it runs. */
  public Worker build() {
    return new Worker(this);
  }

  OpenSessionRequest.Builder request() {
    return request.clone();
  }

  WorkerRun.Parts parts(OpenSessionRequest opening, Map<String, RegisteredHandler> handlers) {
    return new WorkerRun.Parts(
        address, opening, handlers, executor, codec, new Tracing(openTelemetry), logger, onEvent);
  }

  PayloadCodec codec() {
    return codec;
  }

  boolean signals() {
    return signals;
  }

  Duration stopTimeout() {
    return stopTimeout;
  }
}
