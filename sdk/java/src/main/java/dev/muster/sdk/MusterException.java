package dev.muster.sdk;

import dev.muster.sdk.internal.transport.ErrorDetails;
import io.grpc.Status;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A failed call to Muster. */
public class MusterException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final Status.Code code;
  private final transient ErrorDetails details;

  private MusterException(Status.Code code, String message, ErrorDetails details, Throwable cause) {
    super(message, cause);
    this.code = code;
    this.details = details;
  }

  /** A failure without details. */
  public static MusterException of(Status.Code code, String message) {
    return new MusterException(code, message, ErrorDetails.NONE, null);
  }

  /** A failure with a reason and the variables of its message. */
  public static MusterException of(
      Status.Code code, String reason, String message, Map<String, String> metadata) {
    ErrorDetails details =
        new ErrorDetails(reason, Map.copyOf(metadata), List.of(), Optional.empty());
    return new MusterException(code, message, details, null);
  }

  /**
   * Converts an exception of a generated stub, with its error details. A {@code MusterException} is
   * returned unchanged; an exception that is not from a call has the code UNKNOWN.
   */
  public static MusterException of(Throwable thrown) {
    if (thrown instanceof MusterException failure) {
      return failure;
    }
    Status status = Status.fromThrowable(thrown);
    String text = status.getDescription() == null ? thrown.toString() : status.getDescription();
    return new MusterException(status.getCode(), text, ErrorDetails.read(thrown), thrown);
  }

  /** The gRPC status code. */
  public Status.Code code() {
    return code;
  }

  /**
   * Stable reason, such as {@code JOB_NOT_FOUND}. Empty when the server sent none, for example
   * because it can't be reached.
   */
  public String reason() {
    return known().reason();
  }

  /** The variables of the message. */
  public Map<String, String> metadata() {
    return known().metadata();
  }

  /** The invalid fields of the request. Empty unless {@link #code} is INVALID_ARGUMENT. */
  public List<FieldViolation> fieldViolations() {
    return known().fieldViolations();
  }

  /** How long the server asks to wait before the next call. Empty if the server named no delay. */
  public Optional<Duration> retryDelay() {
    return known().retryDelay();
  }

  private ErrorDetails known() {
    return details == null ? ErrorDetails.NONE : details;
  }
}
