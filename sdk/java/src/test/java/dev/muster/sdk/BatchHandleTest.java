package dev.muster.sdk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import dev.muster.v1.Batch;
import dev.muster.v1.BatchServiceGrpc;
import dev.muster.v1.CreateBatchRequest;
import dev.muster.v1.CreateBatchResponse;
import dev.muster.v1.Job;
import dev.muster.v1.RetryBatchRequest;
import dev.muster.v1.RetryBatchResponse;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class BatchHandleTest {
  private final List<CreateBatchRequest> created = new CopyOnWriteArrayList<>();
  private final List<RetryBatchRequest> retried = new CopyOnWriteArrayList<>();
  private final FakeServer server =
      new FakeServer(
          new BatchServiceGrpc.BatchServiceImplBase() {
            @Override
            public void createBatch(
                CreateBatchRequest request, StreamObserver<CreateBatchResponse> observer) {
              created.add(request);
              observer.onNext(CreateBatchResponse.newBuilder().setBatch(batch("first")).build());
              observer.onCompleted();
            }

            @Override
            public void retryBatch(
                RetryBatchRequest request, StreamObserver<RetryBatchResponse> observer) {
              retried.add(request);
              observer.onNext(RetryBatchResponse.newBuilder().setBatch(batch("second")).build());
              observer.onCompleted();
            }
          });

  private static Batch batch(String jobId) {
    return Batch.newBuilder().setJob(Job.newBuilder().setJobId(jobId)).build();
  }

  @AfterEach
  void stop() {
    server.close();
  }

  @Test
  void saysAllThatWasAskedFor() {
    BatchOptions options =
        BatchOptions.NONE
            .labels(Map.of("a", "b"))
            .description("thumbnails")
            .maxFailed(3)
            .callback(new JobRequest("notify", Map.of("n", 1), SubmitOptions.NONE.priority(7)));
    assertEquals("first", server.client.createBatch(options).jobId());
    Batch asked = created.get(0).getBatch();
    assertEquals("b", asked.getLabelsOrThrow("a"));
    assertEquals("thumbnails", asked.getDescription());
    assertEquals(3, asked.getMaxFailed());
    assertEquals("notify", asked.getCallback().getDefinition());
    assertEquals("{\"n\":1}", asked.getCallback().getInput().getData().toStringUtf8());
    assertEquals(7, asked.getCallback().getPriority());
  }

  @Test
  void aPlainBatchHasNoBoundAndNoCallback() {
    server.client.createBatch(BatchOptions.NONE);
    assertFalse(created.get(0).getBatch().hasMaxFailed());
    assertFalse(created.get(0).getBatch().hasCallback());
    assertFalse(created.get(0).getBatch().getTolerateFailed());
  }

  @Test
  void aRequestIdIsForTheCallThatMakesTheBatch() {
    BatchHandle batch = server.client.withRequestId("mine").createBatch(BatchOptions.NONE);
    assertEquals("mine", created.get(0).getRequestId());
    assertEquals("second", batch.retry("again").jobId());
    assertEquals("again", retried.get(0).getReason());
    assertEquals("first", retried.get(0).getJobId());
    assertNotEquals("mine", retried.get(0).getRequestId());
  }
}
