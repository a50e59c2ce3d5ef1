package dev.muster.sdk;

/** Why a handler is asked to stop. */
public enum StopReason {
  /** The job was cancelled. */
  CANCELLED("cancelled"),
  /**
   * The job was paused: the handler may throw the error of {@link JobContext#suspend}, or give up
   * in any other way.
   */
  SUSPENDED("suspended"),
  /** The handler has exceeded its run timeout. */
  RUN_TIMEOUT("run_timeout"),
  /** The worker can't prove that it still owns the attempt. */
  LEASE_LOST("lease_lost"),
  /** The worker shuts down. */
  SHUTDOWN("shutdown");

  private final String word;

  StopReason(String word) {
    this.word = word;
  }

  /** The reason's name in all SDKs, such as {@code run_timeout}. */
  @Override
  public String toString() {
    return word;
  }
}
