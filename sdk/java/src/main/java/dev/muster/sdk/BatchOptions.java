package dev.muster.sdk;

import dev.muster.v1.Batch;
import dev.muster.v1.JobSubmission;
import dev.muster.v1.Payload;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * What a batch is to be. Everything may be left out. It can't be changed; each method gives a new
 * one:
 *
 * <pre>{@code
 * BatchOptions.NONE.maxFailed(10).callback(new JobRequest("tell-of-thumbnails", null))
 * }</pre>
 */
public final class BatchOptions {
  /** A batch whose members all run; it fails if one of them did. */
  public static final BatchOptions NONE = new BatchOptions(Batch.getDefaultInstance(), null);

  private final Batch batch;
  private final JobRequest callback;

  private BatchOptions(Batch batch, JobRequest callback) {
    this.batch = batch;
    this.callback = callback;
  }

  /** Adds labels of the batch; its members have their own. At most 64. */
  public BatchOptions labels(Map<String, String> labels) {
    return with(builder -> builder.putAllLabels(labels));
  }

  /** What it is for, for people. At most 1,024 characters. */
  public BatchOptions description(String description) {
    return with(builder -> builder.setDescription(description));
  }

  /**
   * So many members may fail, and the batch still succeeds; one more stops it. Default: all members
   * run, and the batch fails if one did.
   */
  public BatchOptions maxFailed(long members) {
    return with(builder -> builder.setMaxFailed(members));
  }

  /** The batch succeeds however many members fail. Not together with {@link #maxFailed}. */
  public BatchOptions tolerateFailed() {
    return with(builder -> builder.setTolerateFailed(true));
  }

  /**
   * A job that is made when the batch ends, however it ended. Its input is an object, or none:
   * {@code batch}, {@code state} and {@code counts} are added to it. Default: none.
   */
  public BatchOptions callback(JobRequest job) {
    return new BatchOptions(batch, job);
  }

  /**
   * The message that the server is told.
   *
   * @param encode Writes an input; null stays none.
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
