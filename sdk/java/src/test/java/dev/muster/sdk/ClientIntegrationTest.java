package dev.muster.sdk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muster.v1.Batch;
import dev.muster.v1.Job;
import dev.muster.v1.JobDefinition;
import dev.muster.v1.JobState;
import dev.muster.v1.ListQueuesRequest;
import dev.muster.v1.LogRecord;
import dev.muster.v1.QueueServiceGrpc;
import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

/** The client against the control plane whose gRPC address is {@code MUSTER_TEST_ADDRESS}. */
@EnabledIfEnvironmentVariable(named = "MUSTER_TEST_ADDRESS", matches = ".+")
class ClientIntegrationTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final String address = System.getenv("MUSTER_TEST_ADDRESS");
  private final String suffix = UUID.randomUUID().toString().substring(0, 8);
  private final Client client = Client.builder(address).build();

  /** Has a single slot: no two of its jobs run at the same time. */
  private final Worker worker = Worker.builder(address, "java-client-test").slots(1).build();

  private String name(String kind) {
    return "java-client-" + kind + "-" + suffix;
  }

  @BeforeEach
  void define() {
    for (String kind : List.of("outer", "inner")) {
      client.applyDefinition(JobDefinition.newBuilder().setName(name(kind)).build());
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
  void watchesAJobAndReadsItsLogs() throws Exception {
    CountDownLatch mayEnd = new CountDownLatch(1);
    worker.handle(
        name("outer"),
        Void.class,
        (ctx, nothing) -> {
          ctx.log("begun");
          mayEnd.await();
          ctx.log(LogLevel.WARN, "ends", Map.of("n", 1));
          return null;
        });
    String job = submit("outer", null);
    assertEquals(JobState.JOB_STATE_PAUSED, client.pause(job, "not yet").getState());
    MusterException refused =
        assertThrows(MusterException.class, () -> client.fail(job, "he has left"));
    assertEquals("JOB_NOT_FAILED", refused.reason());
    List<JobState> states = new ArrayList<>();
    List<String> messages = new ArrayList<>();
    try (Stream<Job> changes = client.watch(job);
        Stream<LogRecord> records = client.followLogs(job)) {
      changes
          .map(Job::getState)
          .peek(states::add)
          .filter(JobState.JOB_STATE_PAUSED::equals)
          .findFirst();
      assertNotEquals(JobState.JOB_STATE_PAUSED, client.resume(job).getState());
      worker.start();
      records.forEach(
          record -> {
            messages.add(record.getMessage());
            mayEnd.countDown();
          });
    }
    assertEquals(List.of(JobState.JOB_STATE_PAUSED), states);
    assertEquals(List.of("begun", "ends"), messages);
    try (Stream<Job> ended = client.watch(job)) {
      assertEquals(
          JobState.JOB_STATE_SUCCEEDED, ended.reduce((before, last) -> last).get().getState());
    }
    assertEquals(2, client.logs(job).count());
    assertEquals("1", client.logs(job, 1).skip(1).findFirst().get().getFieldsOrThrow("n"));
  }

  @Test
  void runsABatch() {
    worker.handle(
        name("inner"),
        Integer.class,
        (ctx, number) -> {
          if (number < 0) {
            throw new JobFailure("Negative", "it is " + number).nonRetryable();
          }
          return number * number;
        });
    worker.start();
    BatchHandle batch =
        client.createBatch(
            BatchOptions.NONE.maxFailed(1).callback(new JobRequest(name("outer"), null)));
    String member = batch.submit(name("inner"), -1).jobId();
    assertEquals(batch.jobId(), client.get(member).getParentJobId());
    batch.submitMany(
        IntStream.range(0, 3).mapToObj(number -> new JobRequest(name("inner"), number)).toList());
    MusterException open =
        assertThrows(MusterException.class, () -> batch.waitFor(Duration.ofMillis(10)));
    assertEquals("WAIT_TIMEOUT", open.reason());
    assertTrue(batch.seal().getSealed());
    List<Long> left = new ArrayList<>();
    Batch ended = batch.waitFor(PATIENCE, now -> left.add(now.getCounts().getOpen()));
    assertEquals(JobState.JOB_STATE_SUCCEEDED, ended.getJob().getState());
    assertEquals(3, ended.getCounts().getSucceeded());
    assertEquals(1, ended.getCounts().getFailed());
    assertEquals(0, left.get(left.size() - 1));
    assertEquals(name("outer"), client.get(ended.getCallbackJobId()).getDefinition());
    assertThrows(MusterException.class, () -> batch.submit(name("inner"), 1));

    BatchHandle again = batch.retry("once more");
    assertEquals(1, again.waitFor(PATIENCE).getCounts().getFailed());
    assertThrows(MusterException.class, () -> again.cancel("too late"));
  }

  @Test
  void saysWhatTheServerRefuses() {
    MusterException unknown =
        assertThrows(MusterException.class, () -> client.submit("nobody-knows-it", null));
    assertEquals(Status.Code.NOT_FOUND, unknown.code());
    assertEquals("DEFINITION_NOT_FOUND", unknown.reason());
    MusterException wrong =
        assertThrows(
            MusterException.class,
            () -> client.submit(name("outer"), null, SubmitOptions.NONE.priority(1_000)));
    assertEquals("job.priority", wrong.fieldViolations().get(0).field());
    try (Worker nameless = Worker.builder(address, "No Such Name").build()) {
      nameless.handle("x", Void.class, (ctx, nothing) -> null);
      MusterException refused = assertThrows(MusterException.class, nameless::run);
      assertEquals(Status.Code.INVALID_ARGUMENT, refused.code());
    }
  }

  @Test
  void sendsSignalsAndSharesItsConnection() {
    assertTrue(client.sendSignal(name("signal"), Map.of("a", 1)).getKept());
    SignalOptions unkept = SignalOptions.NONE.key("k").keepFor(Duration.ZERO);
    assertFalse(client.sendSignal(name("signal"), null, unkept).getKept());
    assertTrue(
        QueueServiceGrpc.newBlockingStub(client.channel())
                .listQueues(ListQueuesRequest.getDefaultInstance())
                .getQueuesCount()
            > 0);
    String job = submit("outer", null);
    assertFalse(client.explain(job).getSummary().isEmpty());
    MusterException refused =
        assertThrows(MusterException.class, () -> client.approve(job, "", null));
    assertEquals("JOB_NOT_AWAITING_APPROVAL", refused.reason());
    assertThrows(MusterException.class, () -> client.reject(job, "no"));
    assertEquals(
        JobState.JOB_STATE_CANCELLED, client.cancel(job, "", Duration.ofSeconds(20)).getState());
  }
}
