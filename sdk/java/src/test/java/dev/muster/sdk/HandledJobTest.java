package dev.muster.sdk;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.muster.sdk.testing.HandlerTest;
import dev.muster.v1.Job;
import dev.muster.v1.JobServiceGrpc;
import dev.muster.v1.JobState;
import dev.muster.v1.WaitJobRequest;
import dev.muster.v1.WaitJobResponse;
import io.grpc.stub.StreamObserver;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A client knows which handler waits with it. */
class HandledJobTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final String jobId = UUID.randomUUID().toString();

  /** The waiting jobs that the client reported, in order. */
  private final List<String> waiting = new CopyOnWriteArrayList<>();

  private final FakeServer server =
      new FakeServer(
          new JobServiceGrpc.JobServiceImplBase() {
            @Override
            public void waitJob(WaitJobRequest request, StreamObserver<WaitJobResponse> observer) {
              waiting.add(request.getWaitingJobId());
              Job ended = Job.newBuilder().setState(JobState.JOB_STATE_SUCCEEDED).build();
              observer.onNext(WaitJobResponse.newBuilder().setJob(ended).build());
              observer.onCompleted();
            }
          });

  @AfterEach
  void stop() {
    server.close();
  }

  private Job await() {
    return server.client.waitFor("other", PATIENCE);
  }

  @Test
  void aWaitInAHandlerNamesItsJobAndOthersNone() {
    AtomicReference<Context> left = new AtomicReference<>();
    new HandlerTest()
        .jobId(jobId)
        .run(
            Void.class,
            (ctx, nothing) -> {
              left.set(Context.current());
              return server.client.result("other", Void.class, PATIENCE);
            },
            null);
    await();
    try (Scope behind = left.get().makeCurrent()) {
      await();
    }
    assertEquals(List.of(jobId, "", ""), waiting);
  }

  @Test
  void otherThreadsOfAHandlerAreGivenItsContext() {
    new HandlerTest()
        .jobId(jobId)
        .startAsync(
            Void.class,
            (ctx, nothing) -> {
              Context context = Context.current();
              return server
                  .client
                  .async()
                  .waitFor("other", PATIENCE)
                  .thenCompose(job -> CompletableFuture.supplyAsync(this::await))
                  .thenCompose(
                      job -> CompletableFuture.supplyAsync(context.wrapSupplier(this::await)));
            },
            null)
        .await();
    assertEquals(List.of(jobId, "", jobId), waiting);
  }
}
