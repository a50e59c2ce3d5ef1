package dev.muster.sdk.internal.worker;

import com.google.protobuf.ByteString;
import dev.muster.sdk.HandlerSuspended;
import dev.muster.sdk.JobFailure;
import dev.muster.sdk.PayloadCodec;
import dev.muster.sdk.WaitsForChildren;
import dev.muster.sdk.internal.Uuids;
import dev.muster.sdk.internal.core.Outcomes;
import dev.muster.v1.Payload;
import dev.muster.worker.v1.AttemptReport;
import java.util.List;

/** Makes the report of a handler's end, and ends its span. */
final class HandlerEnds {
  private final HandlerSpan span;
  private final PayloadCodec codec;

  HandlerEnds(HandlerSpan span, PayloadCodec codec) {
    this.span = span;
    this.codec = codec;
  }

  AttemptReport ofResult(Object value) {
    Payload result;
    try {
      result = codec.encode(value);
    } catch (RuntimeException | Error unwritable) {
      span.fail(unwritable);
      return Outcomes.failed(Failures.ofNonRetryable(unwritable, codec));
    }
    span.succeed();
    return Outcomes.result(result);
  }

  AttemptReport ofThrown(Throwable thrown) {
    Throwable meant = Failures.meant(thrown);
    if (meant instanceof HandlerSuspended) {
      span.succeed();
      return Outcomes.suspended(List.of());
    }
    return meant instanceof WaitsForChildren waits ? ofWait(waits) : ofFailure(meant);
  }

  private AttemptReport ofWait(WaitsForChildren waits) {
    List<ByteString> childIds;
    try {
      childIds = waits.childIds().stream().map(Uuids::bytes).toList();
    } catch (RuntimeException noIds) {
      String message = "the handler waits for an invalid job id: " + noIds.getMessage();
      return ofFailure(new JobFailure(WaitsForChildren.class.getSimpleName(), message, noIds));
    }
    span.succeed();
    return Outcomes.suspended(childIds);
  }

  private AttemptReport ofFailure(Throwable meant) {
    span.fail(meant);
    return Outcomes.failed(Failures.of(meant, codec));
  }
}
