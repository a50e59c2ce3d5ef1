package dev.muster.sdk;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;

/**
 * Thrown by a handler that says itself what is reported of it:
 *
 * <pre>{@code
 * throw new JobFailure("QuotaExceeded", "no calls are left today").retryAfter(Duration.ofHours(1));
 * }</pre>
 *
 * <p>Any other exception does as well: its type is the simple name of its class.
 */
public class JobFailure extends RuntimeException {
  private static final long serialVersionUID = 1L;
  private static final int MAX_EXIT_CODE = 255;

  private final String type;
  private boolean isFinal;
  private boolean infrastructure;
  private Duration retryDelay;
  private int exitCode;
  private transient Object details;

  /**
   * A failure of a type.
   *
   * @param type What retry rules and people go by. At most 256 characters.
   * @param message For people. Cut after 8 KiB.
   */
  public JobFailure(String type, String message) {
    this(type, message, null);
  }

  /** A failure of a type that another one led to. */
  public JobFailure(String type, String message, Throwable cause) {
    super(message, cause);
    this.type = Objects.requireNonNull(type, "type");
  }

  /** Says that another attempt can't help: the retry policy is not asked. */
  public JobFailure asFinal() {
    isFinal = true;
    return this;
  }

  /**
   * Says when the next attempt is to be made, in place of the policy's backoff.
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
   * Says that what the handler runs on has failed, such as a disk. It costs the job no attempt
   * unless a retry rule says otherwise.
   */
  public JobFailure infrastructure() {
    infrastructure = true;
    return this;
  }

  /**
   * Says how a process ended that the handler ran; retry rules can go by it.
   *
   * @param code From 1 to 255.
   * @throws IllegalArgumentException when it is not.
   */
  public JobFailure exitCode(int code) {
    if (code < 1 || code > MAX_EXIT_CODE) {
      throw new IllegalArgumentException("an exit code is from 1 to 255, not " + code);
    }
    exitCode = code;
    return this;
  }

  /**
   * Adds data for programs that handle the failure: a value as {@link PayloadCodec#encode} takes
   * it.
   */
  public JobFailure details(Object value) {
    details = value;
    return this;
  }

  /** What retry rules and people go by. */
  public String type() {
    return type;
  }

  /** Whether another attempt can't help. */
  public boolean isFinal() {
    return isFinal;
  }

  /** Whether what the handler runs on has failed. */
  public boolean isInfrastructure() {
    return infrastructure;
  }

  /** The time until the next attempt. Empty: the policy decides. */
  public Optional<Duration> retryDelay() {
    return Optional.ofNullable(retryDelay);
  }

  /** How a process ended that the handler ran. 0: none did. */
  public int exitCode() {
    return exitCode;
  }

  /** Data for programs. Empty: none. */
  public Optional<Object> details() {
    return Optional.ofNullable(details);
  }
}
