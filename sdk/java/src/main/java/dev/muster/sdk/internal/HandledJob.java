package dev.muster.sdk.internal;

import io.opentelemetry.context.Context;
import io.opentelemetry.context.ContextKey;
import io.opentelemetry.context.Scope;

/**
 * The job whose handler the running code belongs to. It stands in OpenTelemetry's context beside
 * the handler's span, so that what carries one to other threads carries both.
 */
public final class HandledJob {
  private static final ContextKey<HandledJob> KEY = ContextKey.named("muster-handled-job");
  private static final HandledJob NONE = new HandledJob("");

  private volatile String jobId;

  public HandledJob(String jobId) {
    this.jobId = jobId;
  }

  /** That of this thread. */
  public static HandledJob current() {
    HandledJob handled = Context.current().get(KEY);
    return handled == null ? NONE : handled;
  }

  /** Makes it that of this thread. */
  public Scope makeCurrent() {
    return Context.current().with(KEY, this).makeCurrent();
  }

  /** The handler has ended: what goes on behind it is no handler's any more. */
  public void end() {
    jobId = "";
  }

  /** Its UUID. Empty: outside of handlers. */
  public String jobId() {
    return jobId;
  }
}
