package dev.muster.sdk.internal.worker;

import dev.muster.sdk.JobFailure;
import dev.muster.sdk.PayloadCodec;
import dev.muster.sdk.internal.Times;
import dev.muster.v1.Failure;
import dev.muster.v1.FailureCause;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.UndeclaredThrowableException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

/** Converts exceptions of handlers to reported failures. */
final class Failures {
  private static final int MAX_TYPE = 256;
  private static final int MAX_MESSAGE = 8 * 1024;
  private static final int MAX_STACK = 16 * 1024;
  private static final int MAX_CAUSES = 16;

  private Failures() {}

  /** A failure that prevents another attempt. */
  static Failure ofNonRetryable(Throwable thrown, PayloadCodec codec) {
    return of(thrown, codec).toBuilder().setNonRetryable(true).build();
  }

  /** Never throws, whatever the exception or the codec do: the attempt has to end. */
  static Failure of(Throwable thrown, PayloadCodec codec) {
    Throwable meant = meant(thrown);
    try {
      return written(meant, codec);
    } catch (RuntimeException | Error unwritable) {
      return Failure.newBuilder()
          .setType(Texts.cut(className(meant), MAX_TYPE))
          .setMessage("a failure that can't be written")
          .setFailureCause(FailureCause.FAILURE_CAUSE_APPLICATION)
          .build();
    }
  }

  private static Failure written(Throwable meant, PayloadCodec codec) {
    Failure.Builder failure = describe(meant, 1);
    if (meant instanceof OutOfMemoryError) {
      failure.setFailureCause(FailureCause.FAILURE_CAUSE_INFRASTRUCTURE);
    }
    if (meant instanceof JobFailure said) {
      steer(failure, said, codec);
    }
    return failure.build();
  }

  /** Unwraps exceptions that threads and futures add. */
  static Throwable meant(Throwable thrown) {
    Throwable inner = thrown;
    while (wraps(inner) && causeOf(inner) != null) {
      inner = causeOf(inner);
    }
    return inner;
  }

  private static boolean wraps(Throwable thrown) {
    return thrown instanceof CompletionException
        || thrown instanceof ExecutionException
        || thrown instanceof InvocationTargetException
        || thrown instanceof UndeclaredThrowableException;
  }

  private static void steer(Failure.Builder failure, JobFailure said, PayloadCodec codec) {
    failure.setNonRetryable(said.isNonRetryable()).setExitCode(said.exitCode());
    if (said.isInfrastructure()) {
      failure.setFailureCause(FailureCause.FAILURE_CAUSE_INFRASTRUCTURE);
    }
    said.retryDelay().ifPresent(delay -> failure.setRetryDelay(Times.durationOf(delay)));
    try {
      said.details().ifPresent(details -> failure.setDetails(codec.encode(details)));
    } catch (RuntimeException | Error unwritable) {
      // The failure itself matters more than details that can't be encoded.
      failure.setMessage(
          Texts.cut(failure.getMessage() + " (" + messageOf(unwritable) + ")", MAX_MESSAGE));
    }
  }

  private static Failure.Builder describe(Throwable thrown, int level) {
    Failure.Builder failure =
        Failure.newBuilder()
            .setType(Texts.cut(typeName(thrown), MAX_TYPE))
            .setMessage(Texts.cut(messageOf(thrown), MAX_MESSAGE))
            .setStackTrace(Texts.cut(stackOf(thrown), MAX_STACK))
            .setFailureCause(FailureCause.FAILURE_CAUSE_APPLICATION);
    Throwable cause = causeOf(thrown);
    if (cause != null && cause != thrown && level < MAX_CAUSES) {
      failure.setCause(describe(cause, level + 1));
    }
    return failure;
  }

  private static String typeName(Throwable thrown) {
    if (thrown instanceof JobFailure said && !said.type().isEmpty()) {
      return said.type();
    }
    return className(thrown);
  }

  /** An anonymous class has the name of its superclass. */
  private static String className(Throwable thrown) {
    Class<?> type = thrown.getClass();
    while (type.getSimpleName().isEmpty()) {
      type = type.getSuperclass();
    }
    return type.getSimpleName();
  }

  /** Exceptions are the user's: their methods may throw. */
  private static String messageOf(Throwable thrown) {
    try {
      String message = thrown.getMessage();
      return message == null ? "" : message;
    } catch (RuntimeException | Error unwritable) {
      return "a message that can't be written as text";
    }
  }

  private static String stackOf(Throwable thrown) {
    try {
      StringWriter text = new StringWriter();
      thrown.printStackTrace(new PrintWriter(text));
      return text.toString();
    } catch (RuntimeException | Error unwritable) {
      return "";
    }
  }

  private static Throwable causeOf(Throwable thrown) {
    try {
      return thrown.getCause();
    } catch (RuntimeException | Error unknown) {
      return null;
    }
  }
}
