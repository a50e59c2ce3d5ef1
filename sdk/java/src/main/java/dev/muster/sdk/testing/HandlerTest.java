package dev.muster.sdk.testing;

import com.google.protobuf.ByteString;
import dev.muster.sdk.AsyncJobHandler;
import dev.muster.sdk.JobHandler;
import dev.muster.sdk.PayloadCodec;
import dev.muster.sdk.StopReason;
import dev.muster.sdk.internal.Times;
import dev.muster.sdk.internal.Uuids;
import dev.muster.sdk.internal.worker.DetachedChildren;
import dev.muster.sdk.internal.worker.DetachedRuns;
import dev.muster.sdk.internal.worker.RegisteredHandler;
import dev.muster.v1.JobSubmission;
import dev.muster.worker.v1.Assignment;
import dev.muster.worker.v1.AttemptReport;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;

/**
 * Runs a handler without a worker and without a control plane, for tests. Inputs and results are
 * encoded and decoded as in production.
 *
 * <pre>{@code
 * HandlerOutcome outcome =
 *     new HandlerTest().attempt(2).lastCheckpoint(1).run(Import.class, importer, new Import("a.csv"));
 * assertEquals(2, outcome.result(Integer.class));
 * }</pre>
 */
public final class HandlerTest {
  private static final int MAX_PAYLOAD = 512 * 1024;

  private final Assignment.Builder assignment =
      Assignment.newBuilder()
          .setJobId(newId())
          .setAttempt(1)
          .setNamespace("default")
          .setDefinition("test")
          .setDefinitionVersion(1)
          .setHandler("test");

  private PayloadCodec codec = PayloadCodec.standard();
  private int maxPayload = MAX_PAYLOAD;
  private final Map<String, RegisteredHandler.Body> children = new HashMap<>();

  /** Creates the first attempt of a new job. */
  public HandlerTest() {}

  private static ByteString newId() {
    return Uuids.bytes(UUID.randomUUID().toString());
  }

  /** UUID of the job. Default: a new one. */
  public HandlerTest jobId(String jobId) {
    assignment.setJobId(Uuids.bytes(jobId));
    return this;
  }

  /** Number of the attempt. Default: 1. */
  public HandlerTest attempt(int attempt) {
    assignment.setAttempt(attempt);
    return this;
  }

  /** Number of earlier attempts that counted. Default: 0. */
  public HandlerTest attemptCount(int attempts) {
    assignment.setAttemptCount(attempts);
    return this;
  }

  /** Name and version of the definition. Default: version 1 of {@code test}. */
  public HandlerTest definition(String name, int version) {
    assignment.setDefinition(name).setHandler(name).setDefinitionVersion(version);
    return this;
  }

  /** The handler's run timeout; it is not enforced here. Default: an hour. */
  public HandlerTest runTimeout(Duration timeout) {
    assignment.setRunTimeout(Times.durationOf(timeout));
    return this;
  }

  /** The checkpoint of an earlier attempt. Default: none. */
  public HandlerTest lastCheckpoint(Object value) {
    assignment.setCheckpoint(codec.encode(value));
    return this;
  }

  /** W3C trace context of the attempt. Default: none. */
  public HandlerTest trace(String traceparent, String tracestate) {
    assignment.setTraceparent(traceparent).setTracestate(tracestate);
    return this;
  }

  /** Maximum size of a checkpoint in bytes. Default: 512 KiB. */
  public HandlerTest maxPayload(int bytes) {
    maxPayload = bytes;
    return this;
  }

  /** How input and result are encoded. Default: {@link PayloadCodec#standard}. */
  public HandlerTest codec(PayloadCodec codec) {
    this.codec = codec;
    return this;
  }

  /**
   * Sets the handler for children of a definition: a fake one that returns their results, or the
   * one used in production. Its exception is the child's failure. Children run when the handler
   * under test waits for them; then that handler runs again from its start, as a later attempt,
   * with its last checkpoint. Default: none; submitting a child then fails with NOT_FOUND.
   *
   * <pre>{@code
   * new HandlerTest().child("square", Integer.class, (ctx, side) -> side * side)
   * }</pre>
   */
  public <I, O> HandlerTest child(String definition, Class<I> type, JobHandler<I, O> handler) {
    children.put(definition, body(type, handler::run));
    return this;
  }

  /** Runs the handler on the caller's thread, and returns its outcome. */
  public <I, O> HandlerOutcome run(Class<I> type, JobHandler<I, O> handler, Object input) {
    RunningHandler running = prepare(body(type, handler::run), input);
    running.runHere();
    return running.await();
  }

  /** Starts the handler on its own thread, so that it can be stopped. */
  public <I, O> RunningHandler start(Class<I> type, JobHandler<I, O> handler, Object input) {
    RunningHandler running = prepare(body(type, handler::run), input);
    running.runOnOwnThread();
    return running;
  }

  /** Runs a handler that is asked to stop before it starts. */
  public <I, O> HandlerOutcome runStopped(
      Class<I> type, JobHandler<I, O> handler, Object input, StopReason reason) {
    RunningHandler running = prepare(body(type, handler::run), input);
    running.stop(reason);
    running.runHere();
    return running.await();
  }

  /** Starts a handler that does not block a thread. */
  public <I, O> RunningHandler startAsync(
      Class<I> type, AsyncJobHandler<I, O> handler, Object input) {
    RunningHandler running = prepare(body(type, handler::run), input);
    running.runHere();
    return running;
  }

  private <I> RegisteredHandler.Body body(Class<I> type, RegisteredHandler.Call<I> call) {
    PayloadCodec used = codec;
    return RegisteredHandler.reading(payload -> used.decode(payload, type), call);
  }

  private RunningHandler prepare(RegisteredHandler.Body body, Object input) {
    Assignment.Builder given = assignment.clone();
    if (input != null) {
      given.setInput(codec.encode(input));
    }
    return new RunningHandler(runs(given.build(), body), codec);
  }

  private DetachedRuns runs(Assignment given, RegisteredHandler.Body body) {
    return new DetachedRuns(
        given, body, maxPayload, codec, new DetachedChildren(new ChildRunner()));
  }

  /** Runs children with the handlers that the test has set. */
  private final class ChildRunner implements DetachedChildren.Runner {
    @Override
    public boolean knows(String definition) {
      return children.containsKey(definition);
    }

    @Override
    public AttemptReport run(String jobId, JobSubmission child) {
      String definition = child.getDefinition();
      Assignment.Builder given =
          Assignment.newBuilder()
              .setJobId(Uuids.bytes(jobId))
              .setAttempt(1)
              .setNamespace(assignment.getNamespace())
              .setDefinition(definition)
              .setDefinitionVersion(1)
              .setHandler(definition);
      if (child.hasInput()) {
        given.setInput(child.getInput());
      }
      DetachedRuns runs = runs(given.build(), children.get(definition));
      runs.run();
      return runs.outcome().join();
    }
  }
}
