package dev.muster.sdk;

import dev.muster.sdk.internal.Times;
import dev.muster.v1.PauseJobRequest;
import dev.muster.v1.PausedTimeouts;
import java.time.Duration;
import java.util.function.Consumer;

/** Options of a pause. All are optional. Instances are immutable; each method returns a new one. */
public final class PauseOptions {
  /** A pause of a job that waits, without a reason. */
  public static final PauseOptions NONE = new PauseOptions(PauseJobRequest.getDefaultInstance());

  private final PauseJobRequest pause;

  private PauseOptions(PauseJobRequest pause) {
    this.pause = pause;
  }

  /** Free text of at most 256 characters. Default: none. */
  public PauseOptions reason(String reason) {
    return with(builder -> builder.setReason(reason));
  }

  /**
   * Also pauses a job that runs: its handler is asked to stop, and the attempt does not count.
   * Default: such a job is refused.
   */
  public PauseOptions running() {
    return with(builder -> builder.setRunning(true));
  }

  /**
   * How long the handler may take to stop, at most an hour. Default: {@code cancel_grace} of the
   * definition.
   */
  public PauseOptions grace(Duration grace) {
    return with(builder -> builder.setGrace(Times.durationOf(grace)));
  }

  /**
   * The total timeout stops while the job is paused, and starts anew when it is resumed. Default:
   * it runs on.
   */
  public PauseOptions stopTimeouts() {
    return with(builder -> builder.setTimeouts(PausedTimeouts.PAUSED_TIMEOUTS_STOP));
  }

  PauseJobRequest pause() {
    return pause;
  }

  private PauseOptions with(Consumer<PauseJobRequest.Builder> change) {
    PauseJobRequest.Builder builder = pause.toBuilder();
    change.accept(builder);
    return new PauseOptions(builder.build());
  }
}
