package dev.muster.sdk.internal.core;

import dev.muster.sdk.MusterException;
import dev.muster.v1.ApplyJobDefinitionRequest;
import dev.muster.v1.JobDefinition;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.function.Consumer;

/**
 * Applies the worker's definitions, one after the other, and retries without limit while the server
 * can't be reached or asks to call again later.
 */
final class Applier {
  private final CorePorts ports;
  private final Queue<ApplyJobDefinitionRequest> remaining = new ArrayDeque<>();
  private final Runnable onApplied;
  private final Consumer<MusterException> onRefused;
  private final Alarm retry;
  private int failures;
  private boolean cancelled;

  /**
   * @param onApplied Called once all definitions are applied.
   * @param onRefused Called with the first refusal; the definitions after it are not applied.
   */
  Applier(
      CorePorts ports,
      List<JobDefinition> definitions,
      Runnable onApplied,
      Consumer<MusterException> onRefused) {
    this.ports = ports;
    this.onApplied = onApplied;
    this.onRefused = onRefused;
    retry = new Alarm(ports, this::advance);
    for (JobDefinition definition : definitions) {
      remaining.add(
          ApplyJobDefinitionRequest.newBuilder()
              .setDefinition(definition)
              .setRequestId(ports.newId().get())
              .build());
    }
  }

  /** Applies the next definition. */
  void advance() {
    if (remaining.isEmpty()) {
      onApplied.run();
      return;
    }
    ports
        .api()
        .applyDefinition(
            remaining.element(),
            Limits.APPLY_TIMEOUT,
            (response, failure) -> {
              if (cancelled) {
                return;
              }
              if (failure == null) {
                remaining.remove();
                failures = 0;
                advance();
              } else {
                failed(failure);
              }
            });
  }

  void cancel() {
    cancelled = true;
    retry.cancel();
  }

  private void failed(MusterException failure) {
    if (!CallFailure.isTransient(failure)) {
      onRefused.accept(failure);
      return;
    }
    double random = ports.random().getAsDouble();
    long wait = Backoff.after(++failures, failure, Limits.MAX_BACKOFF, random);
    ports.warn(
        "the definition {0} could not be applied yet, again in {1} ms: {2}",
        remaining.element().getDefinition().getName(), wait, CallFailure.text(failure));
    retry.by(ports.now() + wait);
  }
}
