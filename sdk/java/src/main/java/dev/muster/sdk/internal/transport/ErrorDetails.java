package dev.muster.sdk.internal.transport;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import dev.muster.sdk.FieldViolation;
import dev.muster.sdk.internal.Times;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The {@code google.rpc} details of a failed call. */
public record ErrorDetails(
    String reason,
    Map<String, String> metadata,
    List<FieldViolation> fieldViolations,
    Optional<Duration> retryDelay) {

  public static final ErrorDetails NONE =
      new ErrorDetails("", Map.of(), List.of(), Optional.empty());

  /** Reads them from the trailer; unreadable details are skipped. */
  public static ErrorDetails read(Throwable thrown) {
    com.google.rpc.Status status = StatusProto.fromThrowable(thrown);
    if (status == null) {
      return NONE;
    }
    ErrorInfo info = find(status, ErrorInfo.class).orElse(ErrorInfo.getDefaultInstance());
    List<FieldViolation> violations =
        find(status, BadRequest.class)
            .orElse(BadRequest.getDefaultInstance())
            .getFieldViolationsList()
            .stream()
            .map(one -> new FieldViolation(one.getField(), one.getDescription()))
            .toList();
    Optional<Duration> retryDelay =
        find(status, RetryInfo.class)
            .filter(RetryInfo::hasRetryDelay)
            .map(retry -> Times.durationOf(retry.getRetryDelay()));
    return new ErrorDetails(info.getReason(), info.getMetadataMap(), violations, retryDelay);
  }

  private static <T extends Message> Optional<T> find(com.google.rpc.Status status, Class<T> type) {
    for (Any detail : status.getDetailsList()) {
      if (!detail.is(type)) {
        continue;
      }
      try {
        return Optional.of(detail.unpack(type));
      } catch (InvalidProtocolBufferException broken) {
        // An undecodable detail is skipped; code and message are still valid.
        return Optional.empty();
      }
    }
    return Optional.empty();
  }
}
