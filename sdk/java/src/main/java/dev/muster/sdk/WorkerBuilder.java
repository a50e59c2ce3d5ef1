package dev.muster.sdk;

import dev.muster.sdk.internal.core.Slots;
import dev.muster.sdk.internal.worker.RegisteredHandler;
import dev.muster.sdk.internal.worker.SdkVersion;
import dev.muster.sdk.internal.worker.Tracing;
import dev.muster.sdk.internal.worker.WorkerRun;
import dev.muster.v1.JobDefinition;
import dev.muster.worker.v1.OpenSessionRequest;
import io.opentelemetry.api.OpenTelemetry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.function.Consumer;

/** Configures a worker. */
public final class WorkerBuilder {
  private static final int DEFAULT_SLOTS = 10;

  private final String address;
  private final OpenSessionRequest.Builder request = OpenSessionRequest.newBuilder();
  private final List<JobDefinition> definitions = new ArrayList<>();
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

  /** The namespace whose jobs it runs. Default: {@code default}. */
  public WorkerBuilder namespace(String namespace) {
    request.setNamespace(namespace);
    return this;
  }

  /**
   * Maximum number of concurrent handlers, from 1 to 10,000. Default: 10.
   *
   * @throws IllegalArgumentException when it is out of range.
   */
  public WorkerBuilder slots(int slots) {
    request.setSlots(Slots.checked(slots));
    return this;
  }

  /**
   * Adds a definition that the worker applies when it starts, before its session opens, as {@link
   * Client#applyDefinition} does: in the worker's namespace, unless the definition names another,
   * and after the definitions that were added before. If workers apply different definitions of one
   * name, the one that is applied last is the newest version.
   *
   * <p>While the control plane can't be reached or asks to call again later, the worker waits. Any
   * other failure ends the start: {@link Worker#run} and {@link Worker#started} fail with the
   * {@link MusterException} of the call, and no session is opened.
   */
  public WorkerBuilder definition(JobDefinition definition) {
    definitions.add(Objects.requireNonNull(definition, "definition"));
    return this;
  }

  /** Adds labels that jobs may demand. At most 64. */
  public WorkerBuilder labels(Map<String, String> labels) {
    request.putAllLabels(labels);
    return this;
  }

  /**
   * Adds totals from which jobs take what they demand, such as {@code Map.of("cpu", 8.0, "gpu",
   * 2.0)}: cores, bytes, devices. You define the meaning of other names. At most 16.
   */
  public WorkerBuilder resources(Map<String, Double> resources) {
    request.putAllResources(resources);
    return this;
  }

  /**
   * The executor of handlers. It must start each handler at once: while a handler waits in a queue,
   * its run timeout already counts. Default: platform threads owned by the worker, at most one per
   * slot. On Java 21, {@code Executors.newVirtualThreadPerTaskExecutor()} serves many slots.
   */
  public WorkerBuilder executor(Executor executor) {
    this.executor = Objects.requireNonNull(executor, "executor");
    return this;
  }

  /** How inputs and results are encoded. Default: {@link PayloadCodec#standard}. */
  public WorkerBuilder codec(PayloadCodec codec) {
    this.codec = Objects.requireNonNull(codec, "codec");
    return this;
  }

  /** The OpenTelemetry that traces handlers. Default: the global one, if the program has set it. */
  public WorkerBuilder openTelemetry(OpenTelemetry openTelemetry) {
    this.openTelemetry = Objects.requireNonNull(openTelemetry, "openTelemetry");
    return this;
  }

  /**
   * The logger of the worker and of {@link JobContext#log}. Default: that of {@code
   * dev.muster.sdk}.
   */
  public WorkerBuilder logger(System.Logger logger) {
    this.logger = Objects.requireNonNull(logger, "logger");
    return this;
  }

  /**
   * A listener for events of the worker's session. It is called on a thread that it must not block.
   */
  public WorkerBuilder onEvent(Consumer<WorkerEvent> listener) {
    onEvent = Objects.requireNonNull(listener, "listener");
    return this;
  }

  /**
   * Whether SIGINT and SIGTERM stop the worker, so that {@link Worker#run} returns; a second signal
   * stops it without waiting for handlers. Default: false.
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

  /** Builds the worker. It connects when it runs. */
  public Worker build() {
    return new Worker(this);
  }

  OpenSessionRequest.Builder request() {
    return request.clone();
  }

  WorkerRun.Parts parts(OpenSessionRequest opening, Map<String, RegisteredHandler> handlers) {
    return new WorkerRun.Parts(
        address,
        definitions.stream()
            .map(definition -> AsyncClient.completed(definition, opening.getNamespace()))
            .toList(),
        opening,
        handlers,
        executor,
        codec,
        new Tracing(openTelemetry),
        logger,
        onEvent);
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
