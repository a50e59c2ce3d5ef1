package dev.muster.sdk.internal.core;

import dev.muster.sdk.MusterException;
import dev.muster.worker.v1.OpenSessionRequest;
import dev.muster.worker.v1.OpenSessionResponse;
import java.util.function.Supplier;

/** Opens a session and retries without limit, unless the server refuses permanently. */
final class Opener {
  /** The receiver of the sessions. */
  interface Owner {
    /**
     * @param openedAt The time of the first call: the session's lease began at some time after it.
     */
    void sessionOpened(OpenSessionResponse response, long openedAt);

    void openingFailed(MusterException error);
  }

  private static final long NEVER = Long.MIN_VALUE / 2;

  private final CorePorts ports;
  private final Supplier<OpenSessionRequest> request;
  private final Owner owner;
  private final Alarm retry;
  private String requestId = "";
  private long firstSent = NEVER;
  private int failures;
  private boolean cancelled;

  Opener(CorePorts ports, Supplier<OpenSessionRequest> request, Owner owner) {
    this.ports = ports;
    this.request = request;
    this.owner = owner;
    retry = new Alarm(ports, this::call);
  }

  /** Opens a new session after {@code delay} milliseconds. */
  void open(long delay) {
    firstSent = NEVER;
    failures = 0;
    if (delay > 0) {
      retry.by(ports.now() + delay);
    } else {
      call();
    }
  }

  void cancel() {
    cancelled = true;
    retry.cancel();
  }

  private void call() {
    long now = ports.now();
    // A repeat with the same request id returns the session of a lost answer, but the lease of that
    // session is already running.
    if (now - firstSent > Limits.OPEN_REQUEST_LIFE) {
      firstSent = now;
      requestId = ports.newId().get();
    }
    long openedAt = firstSent;
    OpenSessionRequest message = request.get().toBuilder().setRequestId(requestId).build();
    ports
        .api()
        .openSession(
            message,
            Limits.OPEN_TIMEOUT,
            (response, failure) -> {
              if (cancelled) {
                return;
              }
              if (failure == null) {
                owner.sessionOpened(response, openedAt);
              } else {
                failed(failure);
              }
            });
  }

  private void failed(MusterException failure) {
    if (CallFailure.isLeaseLost(failure)) {
      // The session of an answer that never arrived has lapsed meanwhile: request a new one.
      firstSent = NEVER;
    } else if (CallFailure.isFatal(failure)) {
      owner.openingFailed(failure);
      return;
    }
    double random = ports.random().getAsDouble();
    long wait = Backoff.after(++failures, failure, Limits.MAX_BACKOFF, random);
    ports.warn(
        "the session could not be opened yet, again in {0} ms: {1}",
        wait, CallFailure.text(failure));
    retry.by(ports.now() + wait);
  }
}
