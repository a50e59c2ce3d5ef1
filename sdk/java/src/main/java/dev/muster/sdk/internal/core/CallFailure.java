package dev.muster.sdk.internal.core;

import dev.muster.sdk.MusterException;
import io.grpc.Status.Code;
import java.util.EnumSet;
import java.util.Set;

/** Facts that the core reads from a failed call. */
final class CallFailure {
  private static final Set<Code> FATAL =
      EnumSet.of(
          Code.INVALID_ARGUMENT,
          Code.PERMISSION_DENIED,
          Code.FAILED_PRECONDITION,
          Code.UNIMPLEMENTED,
          Code.UNAUTHENTICATED);

  private CallFailure() {}

  /** The session is closed: stop everything and open a new one. */
  static boolean isLeaseLost(MusterException failure) {
    return failure.code() == Code.FAILED_PRECONDITION && failure.reason().equals("LEASE_LOST");
  }

  /** The server can't be reached, or asks to call again later. */
  static boolean isTransient(MusterException failure) {
    return failure.code() == Code.UNAVAILABLE
        || failure.code() == Code.DEADLINE_EXCEEDED
        || failure.retryDelay().isPresent();
  }

  /** Its first line: the text of a refused connection continues with a stack trace. */
  static String text(MusterException failure) {
    return failure.getMessage().lines().findFirst().orElse("");
  }

  /** The same OpenSession would be refused again. */
  static boolean isFatal(MusterException failure) {
    return FATAL.contains(failure.code());
  }
}
