package dev.muster.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.NullNode;
import dev.muster.sdk.ChildOptions;
import dev.muster.sdk.JobContext;
import dev.muster.sdk.JobFailure;
import dev.muster.sdk.ProgressCounts;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** The steps of one attempt. */
final class Script {
  private static final String MILLIS = "ms";

  private final JobContext context;
  private final List<String> children = new ArrayList<>();
  private List<JsonNode> results = List.of();

  Script(JobContext context) {
    this.context = context;
  }

  Object run(JsonNode script) throws Exception {
    return steps(script.path("steps")).orElse(NullNode.getInstance());
  }

  /** The result of the first step that has one; empty: no step has. */
  private Optional<Object> steps(JsonNode steps) throws Exception {
    for (JsonNode step : steps) {
      Optional<Object> result = step(step);
      if (result.isPresent()) {
        return result;
      }
    }
    return Optional.empty();
  }

  private Optional<Object> step(JsonNode step) throws Exception {
    String message = step.path("message").asText();
    switch (step.path("do").asText()) {
      case "return":
        return Optional.of(value(step));
      case "return_bytes":
        return Optional.of(new byte[step.path("size").asInt()]);
      case "return_context":
        return Optional.of(contextFacts());
      case "return_children":
        return Optional.of(results);
      case "fail":
        throw failure(step);
      case "raise":
        throw new IllegalStateException(message);
      case "panic":
        throw new AssertionError(message);
      case "progress":
        reportProgress(step, message);
        break;
      case "suspend":
        throw context.suspend(value(step));
      case "checkpoint":
        context.checkpoint(value(step));
        break;
      case "log":
        context.log(message);
        break;
      case "extend":
        context.extendRunTimeout(millis(step));
        break;
      case "sleep":
        context.sleep(millis(step));
        break;
      case "deaf_sleep":
        deafSleep(millis(step));
        break;
      case "until_stopped":
        return untilStopped(step.path("then"));
      case "child":
        children.add(child(step));
        break;
      case "wait_children":
        results = context.results(children, JsonNode.class);
        break;
      case "exit":
        Runtime.getRuntime().halt(step.path("code").asInt());
        break;
      default:
        throw new JobFailure("UnknownStep", "there is no such step: " + step).nonRetryable();
    }
    return Optional.empty();
  }

  private static JsonNode value(JsonNode step) {
    return step.has("value") ? step.get("value") : NullNode.getInstance();
  }

  private static Duration millis(JsonNode step) {
    return Duration.ofMillis(step.path(MILLIS).asLong());
  }

  private Map<String, Object> contextFacts() {
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("job_id", context.jobId());
    facts.put("attempt", context.attempt());
    facts.put("attempt_count", context.attemptCount());
    facts.put("definition", context.definition());
    facts.put("checkpoint", context.lastCheckpoint(JsonNode.class).orElse(null));
    facts.put("traceparent", context.traceparent());
    return facts;
  }

  private static JobFailure failure(JsonNode step) {
    JobFailure failure =
        new JobFailure(step.path("type").asText(), step.path("message").asText());
    if (step.path("non_retryable").asBoolean()) {
      failure.nonRetryable();
    }
    if (step.hasNonNull("retry_delay_ms")) {
      failure.retryAfter(Duration.ofMillis(step.get("retry_delay_ms").asLong()));
    }
    return failure;
  }

  /** Continues to sleep when its thread is interrupted. */
  private static void deafSleep(Duration time) {
    long end = System.nanoTime() + time.toNanos();
    boolean interrupted = false;
    for (long left = time.toNanos(); left > 0; left = end - System.nanoTime()) {
      try {
        Thread.sleep(left / 1_000_000, (int) (left % 1_000_000));
      } catch (InterruptedException deaf) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private Optional<Object> untilStopped(JsonNode then) throws Exception {
    context.whenStopped().handle((reason, failure) -> reason).join();
    if (then.isMissingNode()) {
      context.throwIfStopped();
    }
    // The stop was handled: the interrupt must not end the following steps.
    Thread.interrupted();
    return steps(then);
  }

  private void reportProgress(JsonNode step, String message) {
    if (!step.has("done")) {
      context.progress(step.path("fraction").asDouble(), message);
      return;
    }
    OptionalLong total =
        step.has("total") ? OptionalLong.of(step.get("total").asLong()) : OptionalLong.empty();
    context.progress(
        new ProgressCounts(step.get("done").asLong(), total, step.path("unit").asText()), message);
  }

  private String child(JsonNode step) {
    ChildOptions options =
        step.hasNonNull("key") ? ChildOptions.NONE.key(step.get("key").asText()) : ChildOptions.NONE;
    return context.submit(step.path("definition").asText(), value(step, "input"), options);
  }

  private static JsonNode value(JsonNode step, String name) {
    return step.has(name) ? step.get(name) : null;
  }
}
