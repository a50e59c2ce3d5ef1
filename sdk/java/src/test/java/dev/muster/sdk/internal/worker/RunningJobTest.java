package dev.muster.sdk.internal.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import dev.muster.sdk.JobFailure;
import dev.muster.sdk.PayloadCodec;
import dev.muster.sdk.WaitsForChildren;
import dev.muster.v1.Failure;
import dev.muster.v1.FailureCause;
import dev.muster.worker.v1.Assignment;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.trace.ReadWriteSpan;
import io.opentelemetry.sdk.trace.ReadableSpan;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.SpanProcessor;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;

/** Whatever a handler, a value or a tracer throws: the job ends and frees its slot. */
class RunningJobTest {
  private static final Assignment ASSIGNMENT =
      Assignment.newBuilder().setJobId(ByteString.copyFrom(new byte[16])).setAttempt(1).build();

  private static DetachedJob run(RegisteredHandler.Body body, OpenTelemetry telemetry) {
    System.Logger logger = System.getLogger("test");
    DetachedChildren none = new DetachedChildren(null);
    DetachedJob job =
        new DetachedJob(
            ASSIGNMENT, body, 1_000, PayloadCodec.standard(), logger, none, new Tracing(telemetry));
    job.run();
    assertTrue(job.outcome().isDone(), "the job has not ended");
    return job;
  }

  private static Failure failure(RegisteredHandler.Body body) {
    return run(body, OpenTelemetry.noop()).outcome().join().getFailure();
  }

  private static RegisteredHandler.Body throwing(RuntimeException thrown) {
    return (context, input) -> {
      throw thrown;
    };
  }

  private static final class Mute extends RuntimeException {
    private static final long serialVersionUID = 1L;

    @Override
    public String getMessage() {
      throw new StackOverflowError();
    }

    @Override
    public synchronized Throwable getCause() {
      throw new IllegalStateException();
    }
  }

  /** Its getter throws an error that the codec does not convert. */
  public static final class Unwritable {
    public int getCount() {
      throw new MuteError();
    }
  }

  private static final class MuteError extends Error {
    private static final long serialVersionUID = 1L;

    @Override
    public String getMessage() {
      throw new IllegalStateException();
    }
  }

  @Test
  void anExceptionThatCanNotSayWhatItIsEndsTheJob() {
    Failure failure = failure(throwing(new Mute()));
    assertEquals("Mute", failure.getType());
    assertEquals(FailureCause.FAILURE_CAUSE_APPLICATION, failure.getFailureCause());
  }

  @Test
  void aFailureThatCanNotSayItsTypeEndsTheJob() {
    JobFailure failed =
        new JobFailure("Quota", "none left") {
          private static final long serialVersionUID = 1L;

          @Override
          public String type() {
            return null;
          }
        };
    Failure failure = failure(throwing(failed));
    assertEquals("JobFailure", failure.getType());
    assertEquals("a failure that can't be written", failure.getMessage());
  }

  @Test
  void detailsThatCanNotBeWrittenLeaveTheFailureAsItIs() {
    Failure failure =
        failure(throwing(new JobFailure("Quota", "none left").details(new Unwritable())));
    assertEquals("Quota", failure.getType());
    assertTrue(failure.getMessage().startsWith("none left ("), failure.getMessage());
  }

  @Test
  void aResultThatCanNotBeWrittenEndsTheJob() {
    Failure failure = failure((context, input) -> new Unwritable());
    assertEquals("MuteError", failure.getType());
    assertTrue(failure.getNonRetryable());
  }

  @Test
  void aStageThatCanNotBeFollowedEndsTheJob() {
    CompletableFuture<Object> stage =
        new CompletableFuture<>() {
          @Override
          public CompletableFuture<Object> whenComplete(
              BiConsumer<? super Object, ? super Throwable> action) {
            throw new UnsupportedOperationException("not here");
          }
        };
    Failure failure = failure((context, input) -> stage);
    assertEquals("UnsupportedOperationException", failure.getType());
    assertEquals("not here", failure.getMessage());
  }

  @Test
  void aStageThatFailsAfterItHasReportedItsResultLeavesTheResult() {
    CompletableFuture<Object> stage =
        new CompletableFuture<>() {
          @Override
          public CompletableFuture<Object> whenComplete(
              BiConsumer<? super Object, ? super Throwable> action) {
            action.accept(1, null);
            throw new UnsupportedOperationException();
          }
        };
    DetachedJob job = run((context, input) -> stage, OpenTelemetry.noop());
    assertTrue(job.outcome().join().hasResult());
  }

  @Test
  void aWaitForWhatIsNoJobEndsTheJob() {
    Failure failure =
        failure(
            (context, input) -> {
              throw new WaitsForChildren(List.of("no UUID"));
            });
    assertEquals("WaitsForChildren", failure.getType());
    assertTrue(failure.getMessage().contains("no UUID"), failure.getMessage());
    assertEquals("IllegalArgumentException", failure.getCause().getType());
  }

  @Test
  void aSpanThatCanNotBeEndedEndsTheJob() {
    SpanProcessor broken =
        new SpanProcessor() {
          @Override
          public void onStart(Context parent, ReadWriteSpan span) {}

          @Override
          public boolean isStartRequired() {
            return false;
          }

          @Override
          public void onEnd(ReadableSpan span) {
            throw new IllegalStateException();
          }

          @Override
          public boolean isEndRequired() {
            return true;
          }
        };
    SdkTracerProvider provider = SdkTracerProvider.builder().addSpanProcessor(broken).build();
    OpenTelemetry telemetry = OpenTelemetrySdk.builder().setTracerProvider(provider).build();
    DetachedJob job = run((context, input) -> 1, telemetry);
    assertTrue(job.outcome().join().hasResult());
    job = run(throwing(new Mute()), telemetry);
    assertEquals("Mute", job.outcome().join().getFailure().getType());
  }
}
