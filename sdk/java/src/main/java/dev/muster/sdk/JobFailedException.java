package dev.muster.sdk;

import dev.muster.v1.Job;
import dev.muster.v1.JobState;

/** A job that ended without a result: FAILED, CANCELLED, EXPIRED or SKIPPED. */
public class JobFailedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Protobuf messages are serializable. */
  private final Job job;

  /** Creates the exception for an ended job. */
  public JobFailedException(Job job) {
    super("job " + job.getJobId() + " ended " + stateName(job.getState()) + why(job));
    this.job = job;
  }

  /** The ended job; its failure, if it has one, says why. */
  public Job job() {
    return job;
  }

  private static String why(Job job) {
    if (job.hasFailure()) {
      String type = job.getFailure().getType();
      return ": " + (type.isEmpty() ? "failure" : type) + ": " + job.getFailure().getMessage();
    }
    return job.getStateReason().isEmpty() ? "" : ": " + job.getStateReason();
  }

  static String stateName(JobState state) {
    return state.name().replaceFirst("^JOB_STATE_", "");
  }
}
