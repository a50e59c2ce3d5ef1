package dev.muster.sdk.internal;

import io.opentelemetry.context.Context;
import io.opentelemetry.context.ContextKey;
import io.opentelemetry.context.Scope;

/**
 * The job whose handler is running the current code. It is stored in the OpenTelemetry context next
 * to the handler's span, so that propagating the context to other threads propagates both.
 */
public final class HandledJob {
  private static final ContextKey<HandledJob> KEY = ContextKey.named("muster-handled-job");
  private static final HandledJob NONE = new HandledJob("");

  private volatile String jobId;

  public HandledJob(String jobId) {
    this.jobId = jobId;
  }

  /** The handled job of this thread. */
  public static HandledJob current() {
    HandledJob handled = Context.current().get(KEY);
    return handled == null ? NONE : handled;
  }

  /** Sets it as the handled job of this thread. */
  public Scope makeCurrent() {
    return Context.current().with(KEY, this).makeCurrent();
  }

  /** Called when the handler has ended: work that continues is no longer part of it. */
  public void end() {
    jobId = "";
  }

  /** UUID of the job. Empty outside of handlers. */
  public String jobId() {
    return jobId;
  }
}
