package dev.muster.sdk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muster.v1.FailureCause;
import dev.muster.v1.Job;
import dev.muster.v1.JobDefinition;
import dev.muster.v1.JobFilter;
import dev.muster.v1.JobState;
import dev.muster.v1.RetryPolicy;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

/** A worker against the control plane whose gRPC address is {@code MUSTER_TEST_ADDRESS}. */
@EnabledIfEnvironmentVariable(named = "MUSTER_TEST_ADDRESS", matches = ".+")
class WorkerIntegrationTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final String address = System.getenv("MUSTER_TEST_ADDRESS");
  private final String suffix = UUID.randomUUID().toString().substring(0, 8);
  private final Client client = Client.builder(address).build();
  private final CountDownLatch ready = new CountDownLatch(1);
  private final Worker worker =
      Worker.builder(address, "java-test")
          .slots(4)
          .onEvent(
              event -> {
                if (event == WorkerEvent.READY) {
                  ready.countDown();
                }
              })
          .build();

  record Order(String article, int count) {}

  private String name(String kind) {
    return "java-" + kind + "-" + suffix;
  }

  @BeforeEach
  void define() {
    for (String kind : List.of("price", "fail", "wait", "parent", "child", "async")) {
      client.applyDefinition(
          JobDefinition.newBuilder()
              .setName(name(kind))
              .setRetryPolicy(RetryPolicy.newBuilder().setMaxAttempts(1))
              .build());
    }
  }

  @AfterEach
  void stop() {
    worker.close();
    client.close();
  }

  private String submit(String kind, Object input) {
    return client.submit(name(kind), input).jobId();
  }

  @Test
  void submitsRunsAndGivesTheResult() throws Exception {
    worker.handle(
        name("price"),
        Order.class,
        (ctx, order) -> {
          ctx.progress(0.5, "half");
          ctx.log(LogLevel.INFO, "counting", Map.of("count", order.count()));
          return order.count() * 2.5;
        });
    worker.handleAsync(
        name("async"),
        String.class,
        (ctx, text) -> CompletableFuture.supplyAsync(() -> "hello " + text));
    CompletableFuture<Void> end = worker.start();
    ready.await();
    assertTrue(worker.sessionId().isPresent());
    assertEquals(7.5, client.result(submit("price", new Order("tea", 3)), Double.class, PATIENCE));
    assertEquals("hello Ada", client.result(submit("async", "Ada"), String.class, PATIENCE));
    List<SubmittedJob> many =
        client.submitMany(
            List.of(
                new JobRequest(name("price"), new Order("a", 1)),
                new JobRequest(name("price"), new Order("b", 2))));
    List<Double> results =
        many.stream().map(job -> client.result(job.jobId(), Double.class, PATIENCE)).toList();
    assertEquals(List.of(2.5, 5.0), results);
    JobFilter filter = JobFilter.newBuilder().setDefinition(name("price")).build();
    assertEquals(3, client.list(filter).count());
    worker.stop(PATIENCE).join();
    end.join();
    assertTrue(worker.sessionId().isEmpty());
    assertEquals(4, worker.stats().acknowledged());
  }

  @Test
  void reportsFailures() throws Exception {
    worker.handle(
        name("fail"),
        String.class,
        (ctx, how) -> {
          if (how.equals("typed")) {
            throw new JobFailure("Quota", "none left").nonRetryable().details(Map.of("left", 0));
          }
          throw new IllegalStateException("broken", new RuntimeException("beneath"));
        });
    worker.start();
    String typed = submit("fail", "typed");
    String thrown = submit("fail", "thrown");
    Job failed = client.waitFor(typed, PATIENCE);
    assertEquals("Quota", failed.getFailure().getType());
    assertEquals("{\"left\":0}", failed.getFailure().getDetails().getData().toStringUtf8());
    JobFailedException failure =
        assertThrows(JobFailedException.class, () -> client.result(thrown, String.class, PATIENCE));
    assertEquals("IllegalStateException", failure.job().getFailure().getType());
    assertEquals("beneath", failure.job().getFailure().getCause().getMessage());
    Job unread = client.waitFor(submit("fail", List.of()), PATIENCE);
    assertEquals("PayloadException", unread.getFailure().getType());
    Job again = client.retry(typed);
    assertEquals(typed, again.getRetryOf());
    client.waitFor(again.getJobId(), PATIENCE);
  }

  @Test
  void cancelsAHandlerThatListens() throws Exception {
    Map<String, StopReason> stopped = new ConcurrentHashMap<>();
    CountDownLatch entered = new CountDownLatch(1);
    worker.handle(
        name("wait"),
        Void.class,
        (ctx, nothing) -> {
          entered.countDown();
          try {
            ctx.sleep(PATIENCE);
          } finally {
            ctx.stopReason().ifPresent(reason -> stopped.put(ctx.jobId(), reason));
          }
          return null;
        });
    worker.start();
    String job = submit("wait", null);
    entered.await();
    client.cancel(job, "enough");
    Job ended = client.waitFor(job, PATIENCE);
    assertEquals(JobState.JOB_STATE_CANCELLED, ended.getState());
    assertEquals(StopReason.CANCELLED, stopped.get(job));
  }

  @Test
  void stopsAHandlerAtItsRunTimeout() throws Exception {
    worker.handle(
        name("wait"),
        Void.class,
        (ctx, nothing) -> {
          ctx.sleep(PATIENCE);
          return null;
        });
    worker.start();
    SubmitOptions brief = SubmitOptions.NONE.runTimeout(Duration.ofSeconds(1));
    Job ended = client.waitFor(client.submit(name("wait"), null, brief).jobId(), PATIENCE);
    assertEquals(FailureCause.FAILURE_CAUSE_TIMEOUT, ended.getFailure().getFailureCause());
  }

  @Test
  void waitsForChildrenWithoutASlot() {
    worker.handle(
        name("parent"),
        Integer.class,
        (ctx, count) -> {
          List<String> children =
              java.util.stream.IntStream.range(0, count)
                  .mapToObj(number -> ctx.submit(name("child"), number))
                  .toList();
          return ctx.results(children, Integer.class).stream().mapToInt(Integer::intValue).sum();
        });
    worker.handle(name("child"), Integer.class, (ctx, number) -> number * number);
    worker.start();
    String job = submit("parent", 6);
    assertEquals(55, client.result(job, Integer.class, PATIENCE));
    assertEquals(6, client.list(JobFilter.newBuilder().setParentJobId(job).build()).count());
  }

  @Test
  void drainsToTheEndOfItsHandlers() throws Exception {
    CountDownLatch entered = new CountDownLatch(1);
    CountDownLatch mayEnd = new CountDownLatch(1);
    worker.handle(
        name("wait"),
        Void.class,
        (ctx, nothing) -> {
          entered.countDown();
          mayEnd.await();
          return "done";
        });
    worker.start();
    String job = submit("wait", null);
    entered.await();
    CompletableFuture<Void> stopped = worker.stop(PATIENCE);
    assertFalse(stopped.isDone());
    mayEnd.countDown();
    stopped.join();
    assertEquals("done", client.result(job, String.class, PATIENCE));
  }
}
