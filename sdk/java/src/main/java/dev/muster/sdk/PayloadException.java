package dev.muster.sdk;

/** A value that can't be written as a payload, or a payload that is not what is asked of it. */
public class PayloadException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Says what is wrong. */
  public PayloadException(String message) {
    super(message);
  }

  /** Says what is wrong, and what it comes from. */
  public PayloadException(String message, Throwable cause) {
    super(message, cause);
  }
}
