package dev.muster.sdk;

import java.util.Objects;
import java.util.Optional;

/** Options of a child job. Instances are immutable; each method returns a new one. */
public final class ChildOptions {
  /** A child that is identified by its number and ends with its parent. */
  public static final ChildOptions NONE = new ChildOptions(null, false, SubmitOptions.NONE);

  private final String key;
  private final boolean detached;
  private final SubmitOptions job;

  private ChildOptions(String key, boolean detached, SubmitOptions job) {
    this.key = key;
    this.detached = detached;
    this.job = job;
  }

  /**
   * The key that identifies the child when the handler runs again. Default: its number among the
   * children submitted without a key.
   */
  public ChildOptions key(String value) {
    return new ChildOptions(Objects.requireNonNull(value, "key"), detached, job);
  }

  /** The child continues when its parent ends. Default: it is cancelled then. */
  public ChildOptions detached() {
    return new ChildOptions(key, true, job);
  }

  /** Options of the child's job. The SDK sets idempotency key and request id. */
  public ChildOptions job(SubmitOptions options) {
    return new ChildOptions(key, detached, Objects.requireNonNull(options, "options"));
  }

  /** The child's key. Empty: it is identified by its number. */
  public Optional<String> key() {
    return Optional.ofNullable(key);
  }

  /** Whether the child continues when its parent ends. */
  public boolean isDetached() {
    return detached;
  }

  /** Options of the child's job. */
  public SubmitOptions job() {
    return job;
  }
}
