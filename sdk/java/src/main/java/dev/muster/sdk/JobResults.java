package dev.muster.sdk;

import dev.muster.v1.Job;
import dev.muster.v1.JobState;
import dev.muster.v1.Payload;
import io.grpc.Status;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;

/** Results of jobs. */
public final class JobResults {
  private static final Set<JobState> TERMINAL =
      EnumSet.of(
          JobState.JOB_STATE_SUCCEEDED,
          JobState.JOB_STATE_FAILED,
          JobState.JOB_STATE_CANCELLED,
          JobState.JOB_STATE_EXPIRED,
          JobState.JOB_STATE_SKIPPED);

  private JobResults() {}

  /** Whether a job in this state never changes again. */
  public static boolean isTerminal(JobState state) {
    return TERMINAL.contains(state);
  }

  /**
   * The result of the job's handler. Null: none.
   *
   * @throws JobFailedException when the job ended without a result.
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
