package dev.muster.sdk;

import dev.muster.v1.Batch;
import dev.muster.v1.JobSubmission;
import dev.muster.v1.Payload;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Options of a batch. All are optional. Instances are immutable; each method returns a new one:
 *
 * <pre>{@code
 * BatchOptions.NONE.maxFailed(10).callback(new JobRequest("thumbnails-ready", null))
 * }</pre>
 */
public final class BatchOptions {
  /** A batch whose members all run; it fails if a member fails. */
  public static final BatchOptions NONE = new BatchOptions(Batch.getDefaultInstance(), null);

  private final Batch batch;
  private final JobRequest callback;

  private BatchOptions(Batch batch, JobRequest callback) {
    this.batch = batch;
    this.callback = callback;
  }

  /** Adds labels of the batch; its members have their own labels. At most 64. */
  public BatchOptions labels(Map<String, String> labels) {
    return with(builder -> builder.putAllLabels(labels));
  }

  /** A description, at most 1,024 characters. */
  public BatchOptions description(String description) {
    return with(builder -> builder.setDescription(description));
  }

  /**
   * The number of members that may fail without failing the batch; one more failure stops the
   * batch. Default: all members run, and the batch fails if one does.
   */
  public BatchOptions maxFailed(long members) {
    return with(builder -> builder.setMaxFailed(members));
  }

  /** The batch succeeds however many members fail. Excludes {@link #maxFailed}. */
  public BatchOptions tolerateFailed() {
    return with(builder -> builder.setTolerateFailed(true));
  }

  /**
   * A job that is created when the batch ends, successfully or not. Its input must be an object or
   * missing: {@code batch}, {@code state} and {@code counts} are added to it. Default: none.
   */
  public BatchOptions callback(JobRequest job) {
    return new BatchOptions(batch, job);
  }

  /**
   * The message that is sent to the server.
   *
   * @param encode Encodes an input; null stays null.
   */
  Batch message(Function<Object, Payload> encode) {
    if (callback == null) {
      return batch;
    }
    Payload input = encode.apply(callback.input());
    JobSubmission job = callback.options().submission(callback.definition(), input);
    return batch.toBuilder().setCallback(job).build();
  }

  private BatchOptions with(Consumer<Batch.Builder> change) {
    Batch.Builder builder = batch.toBuilder();
    change.accept(builder);
    return new BatchOptions(builder.build(), callback);
  }
}
