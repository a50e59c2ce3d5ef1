package dev.muster.sdk.internal.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import dev.muster.sdk.JobFailure;
import dev.muster.sdk.PayloadCodec;
import dev.muster.worker.v1.Assignment;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import org.junit.jupiter.api.Test;

class HandlerSpanTest {
  private static final ByteString JOB = ByteString.copyFrom(new byte[16]);
  private static final String TRACE = "0af7651916cd43dd8448eb211c80319c";

  private final InMemorySpanExporter exporter = InMemorySpanExporter.create();
  private final Tracing tracing =
      new Tracing(
          OpenTelemetrySdk.builder()
              .setTracerProvider(
                  SdkTracerProvider.builder()
                      .addSpanProcessor(SimpleSpanProcessor.create(exporter))
                      .build())
              .build());

  private static Assignment attempt(int number) {
    return Assignment.newBuilder()
        .setJobId(JOB)
        .setAttempt(number)
        .setDefinition("greet")
        .setNamespace("default")
        .setTraceparent("00-" + TRACE + "-" + AttemptSpanId.of(JOB, number) + "-01")
        .build();
  }

  private SpanData run(Assignment assignment, RegisteredHandler.Body body) {
    System.Logger logger = System.getLogger("test");
    DetachedChildren none = new DetachedChildren(null);
    DetachedJob job =
        new DetachedJob(assignment, body, 1_000, PayloadCodec.standard(), logger, none, tracing);
    job.run();
    return exporter.getFinishedSpanItems().get(0);
  }

  @Test
  void aHandlerRunsInASpanUnderThatOfItsAttempt() {
    String[] seen = new String[2];
    SpanData span =
        run(
            attempt(1),
            (context, input) -> {
              seen[0] = context.traceparent();
              seen[1] = Span.current().getSpanContext().getSpanId();
              return null;
            });
    assertEquals("process greet", span.getName());
    assertEquals(SpanKind.CONSUMER, span.getKind());
    assertEquals(TRACE, span.getTraceId());
    assertEquals(AttemptSpanId.of(JOB, 1), span.getParentSpanId());
    assertEquals(span.getSpanId(), seen[1]);
    assertTrue(seen[0].startsWith("00-" + TRACE + "-" + span.getSpanId()));
    assertEquals(1L, span.getAttributes().get(AttributeKey.longKey("muster.attempt.number")));
    assertTrue(span.getLinks().isEmpty());
  }

  @Test
  void aLaterAttemptIsLinkedToTheOneBeforeAndAFailureIsOne() {
    SpanData span =
        run(
            attempt(2),
            (context, input) -> {
              throw new JobFailure("Quota", "none left");
            });
    assertEquals(StatusCode.ERROR, span.getStatus().getStatusCode());
    assertEquals(AttemptSpanId.of(JOB, 1), span.getLinks().get(0).getSpanContext().getSpanId());
    assertEquals(1, span.getEvents().size());
  }
}
