package dev.muster.sdk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import dev.muster.v1.ApplyJobDefinitionRequest;
import dev.muster.v1.ApplyJobDefinitionResponse;
import dev.muster.v1.JobDefinition;
import dev.muster.v1.JobDefinitionServiceGrpc;
import dev.muster.v1.WorkflowBody;
import dev.muster.worker.v1.OpenSessionRequest;
import dev.muster.worker.v1.OpenSessionResponse;
import dev.muster.worker.v1.SessionServiceGrpc;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A worker that applies its definitions when it starts. */
class WorkerDefinitionsTest {
  private final List<ApplyJobDefinitionRequest> applied = new CopyOnWriteArrayList<>();
  private final List<Integer> appliedBeforeSession = new CopyOnWriteArrayList<>();
  private final FakeServer server = new FakeServer(new Definitions(), new Sessions());
  private final Worker worker =
      Worker.builder(server.address(), "test")
          .namespace("team")
          .definition(JobDefinition.newBuilder().setName("greet").build())
          .definition(
              JobDefinition.newBuilder()
                  .setName("flow")
                  .setNamespace("other")
                  .setWorkflow(WorkflowBody.getDefaultInstance())
                  .build())
          .build()
          .handle("greet", String.class, (ctx, name) -> "hello " + name);

  /** The failures of the first calls. */
  private volatile List<Status> failures = List.of();

  private final class Definitions extends JobDefinitionServiceGrpc.JobDefinitionServiceImplBase {
    @Override
    public void applyJobDefinition(
        ApplyJobDefinitionRequest request, StreamObserver<ApplyJobDefinitionResponse> to) {
      applied.add(request);
      if (applied.size() <= failures.size()) {
        to.onError(failures.get(applied.size() - 1).asRuntimeException());
        return;
      }
      to.onNext(ApplyJobDefinitionResponse.getDefaultInstance());
      to.onCompleted();
    }
  }

  private final class Sessions extends SessionServiceGrpc.SessionServiceImplBase {
    @Override
    public void openSession(OpenSessionRequest request, StreamObserver<OpenSessionResponse> to) {
      appliedBeforeSession.add(applied.size());
      to.onNext(
          OpenSessionResponse.newBuilder()
              .setSessionId(ByteString.copyFrom(new byte[16]))
              .addNatsUrls("nats://127.0.0.1:1")
              .setSubject("session")
              .build());
      to.onCompleted();
    }
  }

  @AfterEach
  void end() {
    worker.stop(Duration.ZERO).join();
    server.close();
  }

  private static <T> T soon(CompletableFuture<T> future) throws Exception {
    return future.get(30, TimeUnit.SECONDS);
  }

  private static MusterException failureOf(CompletableFuture<?> future) {
    ExecutionException failed = assertThrows(ExecutionException.class, () -> soon(future));
    return assertInstanceOf(MusterException.class, failed.getCause());
  }

  @Test
  void areAppliedLikeThoseOfAClientBeforeItsSessionOpens() throws Exception {
    worker.start();
    soon(worker.started());
    assertEquals(List.of(2), appliedBeforeSession);
    JobDefinition task = applied.get(0).getDefinition();
    assertEquals("greet", task.getName());
    assertEquals("team", task.getNamespace());
    assertTrue(task.hasTask());
    JobDefinition workflow = applied.get(1).getDefinition();
    assertEquals("other", workflow.getNamespace());
    assertTrue(workflow.hasWorkflow());
  }

  @Test
  void waitForAServerThatIsUnavailable() throws Exception {
    failures = List.of(Status.UNAVAILABLE, Status.UNAVAILABLE);
    worker.start();
    soon(worker.started());
    assertEquals(List.of(4), appliedBeforeSession);
    assertEquals(applied.get(0), applied.get(2));
  }

  @Test
  void endTheStartWhenOneIsRefused() {
    failures = List.of(Status.INVALID_ARGUMENT.withDescription("the name is wrong"));
    CompletableFuture<Void> end = worker.start();
    for (CompletableFuture<Void> failed : List.of(end, worker.started())) {
      MusterException refusal = failureOf(failed);
      assertEquals(Status.Code.INVALID_ARGUMENT, refusal.code());
      assertEquals("the name is wrong", refusal.getMessage());
    }
    assertTrue(appliedBeforeSession.isEmpty());
  }

  @Test
  void areNotAwaitedOnceTheWorkerIsStopped() throws Exception {
    server.close();
    CompletableFuture<Void> end = worker.start();
    CompletableFuture<Void> started = worker.started();
    worker.close();
    soon(end);
    assertEquals(Status.Code.CANCELLED, failureOf(started).code());
  }
}
