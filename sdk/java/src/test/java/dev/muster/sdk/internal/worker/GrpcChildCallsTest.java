package dev.muster.sdk.internal.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.muster.v1.JobServiceGrpc;
import dev.muster.v1.JobSubmission;
import dev.muster.v1.SubmitJobRequest;
import dev.muster.v1.SubmitJobResponse;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerInterceptors;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.context.Scope;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import java.net.InetSocketAddress;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class GrpcChildCallsTest {
  private static final Metadata.Key<String> TRACEPARENT =
      Metadata.Key.of("traceparent", Metadata.ASCII_STRING_MARSHALLER);

  private final BlockingQueue<String> traceparents = new LinkedBlockingQueue<>();
  private Server server;
  private ManagedChannel channel;

  private static final class Jobs extends JobServiceGrpc.JobServiceImplBase {
    @Override
    public void submitJob(SubmitJobRequest request, StreamObserver<SubmitJobResponse> observer) {
      observer.onNext(SubmitJobResponse.newBuilder().setJobId("child").build());
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
    InetSocketAddress loopback = new InetSocketAddress("127.0.0.1", 0);
    server =
        NettyServerBuilder.forAddress(loopback)
            .addService(ServerInterceptors.intercept(new Jobs(), new Headers()))
            .build()
            .start();
    channel = NettyChannelBuilder.forAddress("127.0.0.1", server.getPort()).usePlaintext().build();
  }

  @AfterEach
  void stop() throws Exception {
    channel.shutdownNow().awaitTermination(10, TimeUnit.SECONDS);
    server.shutdownNow().awaitTermination(10, TimeUnit.SECONDS);
  }

  @Test
  @Timeout(60)
  void aChildIsSubmittedInASpanUnderThatOfItsHandler() throws Exception {
    InMemorySpanExporter spans = InMemorySpanExporter.create();
    SdkTracerProvider provider =
        SdkTracerProvider.builder().addSpanProcessor(SimpleSpanProcessor.create(spans)).build();
    OpenTelemetrySdk otel = OpenTelemetrySdk.builder().setTracerProvider(provider).build();
    GrpcChildCalls calls = new GrpcChildCalls(channel, "muster:7070", "shop", new Tracing(otel));
    SubmitJobRequest request =
        SubmitJobRequest.newBuilder()
            .setJob(JobSubmission.newBuilder().setDefinition("resize"))
            .build();
    Span handler = otel.getTracer("test").spanBuilder("process").startSpan();
    try (Scope scope = handler.makeCurrent()) {
      assertEquals("child", calls.submit(request).get(30, TimeUnit.SECONDS).getJobId());
    }
    while (spans.getFinishedSpanItems().isEmpty()) {
      Thread.onSpinWait(); // a waiting thread may be woken before the span has ended
    }
    SpanData span = spans.getFinishedSpanItems().get(0);
    assertEquals("submit resize", span.getName());
    assertEquals(handler.getSpanContext().getSpanId(), span.getParentSpanId());
    String wanted = "00-" + span.getTraceId() + "-" + span.getSpanId();
    assertEquals(wanted, traceparents.poll(30, TimeUnit.SECONDS).substring(0, wanted.length()));
  }
}
