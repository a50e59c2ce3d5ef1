package dev.muster.sdk;

import java.util.concurrent.CancellationException;

/**
 * Thrown in a handler that was asked to stop, by {@link JobContext#throwIfStopped} and other
 * methods of the context.
 */
public class HandlerStoppedException extends CancellationException {
  private static final long serialVersionUID = 1L;

  private final StopReason reason;

  /** Creates the exception for a reason. */
  public HandlerStoppedException(StopReason reason) {
    super("the handler was asked to stop: " + reason);
    this.reason = reason;
  }

  /** Why the handler was asked to stop. */
  public StopReason reason() {
    return reason;
  }
}
