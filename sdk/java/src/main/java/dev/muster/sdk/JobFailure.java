package dev.muster.sdk;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;

/**
 * Thrown by a handler to determine the reported failure:
 *
 * <pre>{@code
 * throw new JobFailure("QuotaExceeded", "no calls are left today").retryAfter(Duration.ofHours(1));
 * }</pre>
 *
 * <p>Other exceptions work as well: their failure type is the simple name of their class.
 */
public class JobFailure extends RuntimeException {
  private static final long serialVersionUID = 1L;
  private static final int MAX_EXIT_CODE = 255;

  private final String type;
  private boolean nonRetryable;
  private boolean infrastructure;
  private Duration retryDelay;
  private int exitCode;
  private transient Object details;

  /**
   * Creates a failure with a type.
   *
   * @param type The name that retry rules match. At most 256 characters.
   * @param message Readable text. Cut after 8 KiB.
   */
  public JobFailure(String type, String message) {
    this(type, message, null);
  }

  /** Creates a failure with a type and a cause. */
  public JobFailure(String type, String message, Throwable cause) {
    super(message, cause);
    this.type = Objects.requireNonNull(type, "type");
  }

  /** Prevents another attempt: the retry policy is not consulted. */
  public JobFailure nonRetryable() {
    nonRetryable = true;
    return this;
  }

  /**
   * Sets the time until the next attempt, in place of the policy's backoff.
   *
   * @throws IllegalArgumentException when the delay is negative.
   */
  public JobFailure retryAfter(Duration delay) {
    if (delay.isNegative()) {
      throw new IllegalArgumentException("a delay can't be " + delay);
    }
    retryDelay = delay;
    return this;
  }

  /**
   * Reports that the environment of the handler failed, such as a disk. The failure does not count
   * as an attempt unless a retry rule says otherwise.
   */
  public JobFailure infrastructure() {
    infrastructure = true;
    return this;
  }

  /**
   * Sets the exit code of a process that the handler ran; retry rules can match it.
   *
   * @param code From 1 to 255.
   * @throws IllegalArgumentException when it is out of range.
   */
  public JobFailure exitCode(int code) {
    if (code < 1 || code > MAX_EXIT_CODE) {
      throw new IllegalArgumentException("an exit code is from 1 to 255, not " + code);
    }
    exitCode = code;
    return this;
  }

  /**
   * Adds data for programs that process the failure: a value that {@link PayloadCodec#encode}
   * accepts.
   */
  public JobFailure details(Object value) {
    details = value;
    return this;
  }

  /** The name that retry rules match. */
  public String type() {
    return type;
  }

  /** Whether another attempt is prevented. */
  public boolean isNonRetryable() {
    return nonRetryable;
  }

  /** Whether the environment of the handler failed. */
  public boolean isInfrastructure() {
    return infrastructure;
  }

  /** The time until the next attempt. Empty: the policy decides. */
  public Optional<Duration> retryDelay() {
    return Optional.ofNullable(retryDelay);
  }

  /** The exit code of a process that the handler ran. 0: none. */
  public int exitCode() {
    return exitCode;
  }

  /** Data for programs. Empty: none. */
  public Optional<Object> details() {
    return Optional.ofNullable(details);
  }
}
