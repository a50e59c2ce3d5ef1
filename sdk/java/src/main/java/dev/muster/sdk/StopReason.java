package dev.muster.sdk;

/** Why a handler is asked to stop. */
public enum StopReason {
  /** The job was cancelled. */
  CANCELLED("cancelled"),
  /** The handler took too long. */
  RUN_TIMEOUT("run_timeout"),
  /** The worker can't prove that the attempt is still its own. */
  LEASE_LOST("lease_lost"),
  /** The worker ends. */
  SHUTDOWN("shutdown");

  private final String word;

  StopReason(String word) {
    this.word = word;
  }

  /** The word for it that the SDKs share, such as {@code run_timeout}. */
  @Override
  public String toString() {
    return word;
  }
}
