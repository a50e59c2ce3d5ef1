package dev.muster.sdk;

import dev.muster.v1.Job;
import dev.muster.v1.JobState;
import dev.muster.v1.Payload;
import io.grpc.Status;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;

/** What became of jobs. */
public final class JobResults {
  private static final Set<JobState> TERMINAL =
      EnumSet.of(
          JobState.JOB_STATE_SUCCEEDED,
          JobState.JOB_STATE_FAILED,
          JobState.JOB_STATE_CANCELLED,
          JobState.JOB_STATE_EXPIRED,
          JobState.JOB_STATE_SKIPPED);

  private JobResults() {}

  /** Whether jobs in this state stay as they are for good. */
  public static boolean isTerminal(JobState state) {
    return TERMINAL.contains(state);
  }

  /**
   * What the job's handler returned. Null: nothing.
   *
   * @throws JobFailedException when the job ended otherwise.
   * @throws MusterException DEADLINE_EXCEEDED (WAIT_TIMEOUT) when it has not ended yet.
   */
  public static Payload of(Job job) {
    if (job.getState() == JobState.JOB_STATE_SUCCEEDED) {
      return job.hasResult() ? job.getResult() : null;
    }
    if (isTerminal(job.getState())) {
      throw new JobFailedException(job);
    }
    throw MusterException.of(
        Status.Code.DEADLINE_EXCEEDED,
        "WAIT_TIMEOUT",
        "job "
            + job.getJobId()
            + " has not ended yet: it is "
            + JobFailedException.stateName(job.getState()),
        Map.of("job_id", job.getJobId()));
  }
}
