package dev.muster.sdk;

import java.util.Objects;
import java.util.Optional;

/** How a child is to be run. It can't be changed; each method gives a new one. */
public final class ChildOptions {
  /** A child that its number tells apart, and that ends with its parent. */
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
   * What the child is known by when the handler runs again. Default: its number among those that
   * the handler submits without a key.
   */
  public ChildOptions key(String value) {
    return new ChildOptions(Objects.requireNonNull(value, "key"), detached, job);
  }

  /** It goes on when its parent ends. Default: it is cancelled then. */
  public ChildOptions detached() {
    return new ChildOptions(key, true, job);
  }

  /** How its job is to be run. Idempotency key and request id are the SDK's. */
  public ChildOptions job(SubmitOptions options) {
    return new ChildOptions(key, detached, Objects.requireNonNull(options, "options"));
  }

  /** What the child is known by. Empty: its number. */
  public Optional<String> key() {
    return Optional.ofNullable(key);
  }

  /** Whether it goes on when its parent ends. */
  public boolean isDetached() {
    return detached;
  }

  /** How its job is to be run. */
  public SubmitOptions job() {
    return job;
  }
}
