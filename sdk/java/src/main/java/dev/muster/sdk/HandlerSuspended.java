package dev.muster.sdk;

/**
 * Made by {@link JobContext#suspend}. It ends this run of the handler, which runs again later. A
 * handler must not catch it. It is an {@code Error}, so that handlers that catch {@code Exception}
 * let it pass.
 */
public final class HandlerSuspended extends Error {
  private static final long serialVersionUID = 1L;

  /** Creates the error. */
  public HandlerSuspended() {
    super(
        "the handler has suspended its job; it has to let this error pass, and runs again later",
        null,
        false,
        false);
  }
}
