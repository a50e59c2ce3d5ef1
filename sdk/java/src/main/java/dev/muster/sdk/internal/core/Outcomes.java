package dev.muster.sdk.internal.core;

import com.google.protobuf.ByteString;
import dev.muster.v1.Failure;
import dev.muster.v1.FailureCause;
import dev.muster.v1.Payload;
import dev.muster.worker.v1.Aborted;
import dev.muster.worker.v1.AttemptReport;
import dev.muster.worker.v1.Cancelled;
import dev.muster.worker.v1.ReleaseReason;
import dev.muster.worker.v1.Released;
import dev.muster.worker.v1.Suspended;
import java.util.List;

/** Outcomes of attempts, as reports without the attempt's id. */
public final class Outcomes {
  private static final AttemptReport CANCELLED =
      AttemptReport.newBuilder().setCancelled(Cancelled.getDefaultInstance()).build();
  private static final AttemptReport ABORTED =
      AttemptReport.newBuilder().setAborted(Aborted.getDefaultInstance()).build();

  private Outcomes() {}

  public static AttemptReport result(Payload payload) {
    return AttemptReport.newBuilder().setResult(payload).build();
  }

  public static AttemptReport failed(Failure failure) {
    return AttemptReport.newBuilder().setFailure(failure).build();
  }

  /** The handler stopped on request, or waits for children of its job: their UUIDs. */
  public static AttemptReport suspended(List<ByteString> childIds) {
    return AttemptReport.newBuilder()
        .setSuspended(Suspended.newBuilder().addAllChildJobIds(childIds))
        .build();
  }

  static AttemptReport released(ReleaseReason reason) {
    return AttemptReport.newBuilder().setReleased(Released.newBuilder().setReason(reason)).build();
  }

  static AttemptReport cancelled() {
    return CANCELLED;
  }

  static AttemptReport aborted() {
    return ABORTED;
  }

  static AttemptReport runTimeout() {
    return failed(
        sdkFailure("RunTimeout", "the handler did not return within its run timeout").toBuilder()
            .setFailureCause(FailureCause.FAILURE_CAUSE_TIMEOUT)
            .setNonRetryable(false)
            .build());
  }

  /** Replaces a result that is too large with a failure. */
  static AttemptReport withinSize(AttemptReport outcome, int maxPayload) {
    int size = outcome.getResult().getData().size();
    if (maxPayload <= 0 || size <= maxPayload) {
      return outcome;
    }
    return failed(
        sdkFailure(
            "ResultTooLarge", "the result has " + size + " bytes; the maximum is " + maxPayload));
  }

  /** A failure detected by the SDK that another attempt would not fix. */
  static Failure sdkFailure(String type, String message) {
    return Failure.newBuilder()
        .setType(type)
        .setMessage(message)
        .setFailureCause(FailureCause.FAILURE_CAUSE_APPLICATION)
        .setNonRetryable(true)
        .build();
  }
}
