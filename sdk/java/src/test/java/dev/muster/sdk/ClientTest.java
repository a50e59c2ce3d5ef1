package dev.muster.sdk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Any;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import dev.muster.sdk.internal.Times;
import dev.muster.v1.GetJobRequest;
import dev.muster.v1.GetJobResponse;
import dev.muster.v1.Job;
import dev.muster.v1.JobFilter;
import dev.muster.v1.JobServiceGrpc;
import dev.muster.v1.JobState;
import dev.muster.v1.ListJobsRequest;
import dev.muster.v1.ListJobsResponse;
import dev.muster.v1.SubmitJobRequest;
import dev.muster.v1.SubmitJobResponse;
import dev.muster.v1.WaitJobRequest;
import dev.muster.v1.WaitJobResponse;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerInterceptors;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.StreamObserver;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.context.Scope;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ClientTest {
  private static final Metadata.Key<String> TRACEPARENT =
      Metadata.Key.of("traceparent", Metadata.ASCII_STRING_MARSHALLER);

  private final FakeJobs jobs = new FakeJobs();
  private final List<String> traceparents = new CopyOnWriteArrayList<>();
  private Server server;
  private Client client;

  /** A fake server with answers set by the test. */
  private static final class FakeJobs extends JobServiceGrpc.JobServiceImplBase {
    final List<SubmitJobRequest> submitted = new CopyOnWriteArrayList<>();
    final AtomicInteger waits = new AtomicInteger();
    final AtomicInteger gets = new AtomicInteger();
    final CountDownLatch asked = new CountDownLatch(1);
    volatile int unanswered = Integer.MAX_VALUE;
    volatile int failures;
    volatile Supplier<StatusRuntimeException> failure = Status.UNAVAILABLE::asRuntimeException;
    volatile JobState state = JobState.JOB_STATE_SUCCEEDED;

    @Override
    public void submitJob(SubmitJobRequest request, StreamObserver<SubmitJobResponse> observer) {
      submitted.add(request);
      if (submitted.size() <= failures) {
        observer.onError(failure.get());
        return;
      }
      observer.onNext(SubmitJobResponse.newBuilder().setJobId("job-1").setExisting(true).build());
      observer.onCompleted();
    }

    @Override
    public void waitJob(WaitJobRequest request, StreamObserver<WaitJobResponse> observer) {
      Job.Builder job = Job.newBuilder().setJobId(request.getJobId());
      if (waits.incrementAndGet() > 1) {
        job.setState(state).setStateReason("so it is");
      }
      if (state == JobState.JOB_STATE_SUCCEEDED) {
        job.setResult(PayloadCodec.standard().encode("hello"));
      }
      observer.onNext(WaitJobResponse.newBuilder().setJob(job).build());
      observer.onCompleted();
    }

    @Override
    public void getJob(GetJobRequest request, StreamObserver<GetJobResponse> observer) {
      asked.countDown();
      if (gets.incrementAndGet() <= unanswered) {
        return;
      }
      observer.onNext(GetJobResponse.newBuilder().setJob(Job.newBuilder().setJobId("j")).build());
      observer.onCompleted();
    }

    @Override
    public void listJobs(ListJobsRequest request, StreamObserver<ListJobsResponse> observer) {
      int page = request.getPageToken().isEmpty() ? 0 : Integer.parseInt(request.getPageToken());
      observer.onNext(
          ListJobsResponse.newBuilder()
              .addJobs(Job.newBuilder().setJobId(request.getFilter().getDefinition() + page))
              .setNextPageToken(page < 2 ? Integer.toString(page + 1) : "")
              .build());
      observer.onCompleted();
    }
  }

  private final class Headers implements ServerInterceptor {
    @Override
    public <Q, R> ServerCall.Listener<Q> interceptCall(
        ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
      String traceparent = headers.get(TRACEPARENT);
      traceparents.add(traceparent == null ? "" : traceparent);
      return next.startCall(call, headers);
    }
  }

  @BeforeEach
  void start() throws Exception {
    server =
        NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0))
            .addService(ServerInterceptors.intercept(jobs, new Headers()))
            .build()
            .start();
    client = builder().build();
  }

  private ClientBuilder builder() {
    return Client.builder("127.0.0.1:" + server.getPort()).namespace("space");
  }

  @AfterEach
  void stop() {
    client.close();
    server.shutdownNow();
  }

  @Test
  void saysAllThatWasAskedFor() {
    SubmitOptions options =
        SubmitOptions.NONE
            .idempotencyKey("key")
            .priority(7)
            .delay(Duration.ofSeconds(3))
            .labels(Map.of("a", "b"))
            .runTimeout(Duration.ofMinutes(1))
            .queue("slow")
            .dependsOn("other");
    SubmittedJob job = client.withBatch("batch").submit("greet", Map.of("n", 1), options);
    assertEquals(new SubmittedJob("job-1", true), job);
    SubmitJobRequest request = jobs.submitted.get(0);
    assertEquals("space", request.getNamespace());
    assertEquals("batch", request.getBatchJobId());
    assertEquals("{\"n\":1}", request.getJob().getInput().getData().toStringUtf8());
    assertEquals("key", request.getJob().getIdempotencyKey());
    assertEquals(7, request.getJob().getPriority());
    assertEquals(3, request.getJob().getDelay().getSeconds());
    assertEquals("b", request.getJob().getLabelsOrThrow("a"));
    assertEquals(60, request.getJob().getRunTimeout().getSeconds());
    assertEquals("slow", request.getJob().getQueue());
    assertEquals("other", request.getJob().getDependsOn(0).getJobId());
  }

  @Test
  void repeatsUnderOneRequestId() {
    jobs.failures = 3;
    client.submit("greet", null);
    assertEquals(4, jobs.submitted.size());
    assertEquals(1, jobs.submitted.stream().map(SubmitJobRequest::getRequestId).distinct().count());
    client.withRequestId("mine").submit("greet", null);
    assertEquals("mine", jobs.submitted.get(4).getRequestId());
  }

  @Test
  void repeatsABoundedNumberOfTimesAndNotWhatWouldFailAgain() {
    jobs.failures = 1_000;
    TransportRetry retry = new TransportRetry(3, Duration.ofMillis(1), Duration.ofMillis(2));
    try (Client hasty = builder().retry(retry).build()) {
      MusterException failure =
          assertThrows(MusterException.class, () -> hasty.submit("greet", null));
      assertEquals(Status.Code.UNAVAILABLE, failure.code());
      assertEquals(3, jobs.submitted.size());
      jobs.failure = Status.NOT_FOUND::asRuntimeException;
      assertThrows(MusterException.class, () -> hasty.submit("greet", null));
      assertEquals(4, jobs.submitted.size());
    }
  }

  @Test
  void aReplicaThatDoesNotAnswerCostsAShareOfTheTime() {
    jobs.unanswered = 1;
    Duration timeout = Duration.ofSeconds(3);
    String replicas = "dns:///127.0.0.1:" + server.getPort();
    try (Client several = Client.builder(replicas).timeout(timeout).build()) {
      assertEquals("j", several.get("j").getJobId());
      assertEquals(2, jobs.gets.get());
    }
  }

  @Test
  void readsTheDetailsOfAnError() {
    jobs.failures = 1;
    jobs.failure =
        () ->
            StatusProto.toStatusRuntimeException(
                com.google.rpc.Status.newBuilder()
                    .setCode(Status.Code.INVALID_ARGUMENT.value())
                    .setMessage("a field is wrong")
                    .addDetails(
                        Any.pack(
                            ErrorInfo.newBuilder()
                                .setReason("INVALID_FIELD")
                                .putMetadata("k", "v")
                                .build()))
                    .addDetails(
                        Any.pack(
                            BadRequest.newBuilder()
                                .addFieldViolations(
                                    BadRequest.FieldViolation.newBuilder()
                                        .setField("job.priority")
                                        .setDescription("too high"))
                                .build()))
                    .addDetails(
                        Any.pack(
                            RetryInfo.newBuilder()
                                .setRetryDelay(Times.durationOfMillis(1_500))
                                .build()))
                    .build());
    MusterException failure =
        assertThrows(MusterException.class, () -> client.submit("greet", null));
    assertEquals(Status.Code.INVALID_ARGUMENT, failure.code());
    assertEquals("INVALID_FIELD", failure.reason());
    assertEquals("a field is wrong", failure.getMessage());
    assertEquals(Map.of("k", "v"), failure.metadata());
    assertEquals(
        List.of(new FieldViolation("job.priority", "too high")), failure.fieldViolations());
    assertEquals(Duration.ofMillis(1_500), failure.retryDelay().orElseThrow());
  }

  @Test
  void waitsCallByCallForTheResult() {
    assertEquals("hello", client.result("job-1", String.class, Duration.ofMinutes(1)));
    assertEquals(2, jobs.waits.get());
  }

  @Test
  void reportsAJobWithoutAResult() {
    jobs.state = JobState.JOB_STATE_CANCELLED;
    JobFailedException failure =
        assertThrows(
            JobFailedException.class,
            () -> client.result("job-1", String.class, Duration.ofMinutes(1)));
    assertEquals("job job-1 ended CANCELLED: so it is", failure.getMessage());
    MusterException late =
        assertThrows(
            MusterException.class,
            () -> {
              jobs.waits.set(0);
              client.result("job-1", String.class, Duration.ZERO);
            });
    assertEquals("WAIT_TIMEOUT", late.reason());
  }

  @Test
  void listsPageByPage() {
    JobFilter filter = JobFilter.newBuilder().setDefinition("d").build();
    assertEquals(List.of("d0", "d1", "d2"), client.list(filter).map(Job::getJobId).toList());
    assertEquals("d0", client.list(filter).findFirst().orElseThrow().getJobId());
  }

  @Test
  void keepsItsDeadlineAndCanBeCancelled() throws Exception {
    MusterException late =
        assertThrows(
            MusterException.class, () -> client.withTimeout(Duration.ofMillis(50)).get("job-1"));
    assertEquals(Status.Code.DEADLINE_EXCEEDED, late.code());
    CompletableFuture<Job> call = client.async().get("job-1");
    jobs.asked.await();
    assertTrue(call.cancel(true));
    Thread.currentThread().interrupt();
    MusterException ended = assertThrows(MusterException.class, () -> client.get("job-1"));
    assertEquals(Status.Code.CANCELLED, ended.code());
    assertTrue(Thread.interrupted());
  }

  @Test
  void aSubmissionHasASpanWhoseContextGoesAlong() {
    InMemorySpanExporter exporter = InMemorySpanExporter.create();
    SdkTracerProvider provider =
        SdkTracerProvider.builder().addSpanProcessor(SimpleSpanProcessor.create(exporter)).build();
    OpenTelemetrySdk otel = OpenTelemetrySdk.builder().setTracerProvider(provider).build();
    try (Client traced = builder().openTelemetry(otel).build()) {
      Span upload = otel.getTracer("test").spanBuilder("upload").startSpan();
      try (Scope scope = upload.makeCurrent()) {
        traced.submit("greet", null);
      }
      upload.end();
      SpanData span =
          exporter.getFinishedSpanItems().stream()
              .filter(one -> one.getName().equals("submit greet"))
              .findFirst()
              .orElseThrow();
      assertEquals(upload.getSpanContext().getSpanId(), span.getParentSpanId());
      String flags = span.getSpanContext().getTraceFlags().asHex();
      assertEquals(
          "00-" + span.getTraceId() + "-" + span.getSpanId() + "-" + flags, traceparents.get(0));
    }
  }
}
