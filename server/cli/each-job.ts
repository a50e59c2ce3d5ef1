/** Calls a method for each job id; one failure does not stop the others. */
import { type Job, JobSchema, MusterError, stateName } from '@muster-jobs/sdk/grpc';
import type { Connection } from './connection.ts';
import { Exit } from './failures/exit-codes.ts';
import { writeReport } from './failures/failure-report.ts';
import type { Invocation } from './invocation.ts';
import { printable } from './output/printable.ts';
import { styledState } from './output/states.ts';

/** Shows each job's state after the call; returns the exit code of the first call that failed. */
export async function eachJob(
  invocation: Invocation,
  jobIds: readonly string[],
  call: (connection: Connection, jobId: string) => Promise<Job>,
): Promise<number> {
  const connection = await invocation.connection();
  let exitCode: number = Exit.OK;
  for (const jobId of jobIds) {
    try {
      const job = await call(connection, jobId);
      if (invocation.out.json) invocation.out.messageItem(JobSchema, job);
      else showState(invocation, job);
    } catch (error) {
      if (jobIds.length === 1 || invocation.signal.aborted || !(error instanceof MusterError)) throw error;
      const code = writeReport(error, connection.target.server, invocation.out.stderr, invocation.out.json);
      exitCode ||= code;
    }
  }
  return exitCode;
}

function showState({ out }: Invocation, job: Job): void {
  const of = job.retryOf === '' ? '' : ` retries ${job.retryOf}:`;
  const why = job.stateReason === '' ? '' : `: ${printable(job.stateReason)}`;
  out.line(`Job ${job.jobId}${of} ${styledState(out, job.state, stateName(job.state))}${why}`);
}
