package dev.muster.sdk;

/**
 * A value that can't be encoded as a payload, or a payload that does not fit the requested type.
 */
public class PayloadException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Creates the exception with a message. */
  public PayloadException(String message) {
    super(message);
  }

  /** Creates the exception with a message and a cause. */
  public PayloadException(String message, Throwable cause) {
    super(message, cause);
  }
}
