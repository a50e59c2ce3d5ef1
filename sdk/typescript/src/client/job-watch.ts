/** Watches a job over connections that may break: the stream is asked for anew, and what was told already is passed over. */
import type { Job } from '../gen/muster/v1/job_pb.ts';
import { JobService } from '../gen/muster/v1/job_service_pb.ts';
import { isTerminal } from '../job-state.ts';
import { serverStream } from '../transport/server-stream.ts';
import type { Calls } from './calls.ts';
import { backoff, pause } from './transport-retry.ts';

export async function* watchJob(
  { channel, retry }: Calls,
  target: { namespace: string; jobId: string },
  signal: AbortSignal | undefined,
): AsyncGenerator<Job, void> {
  let revision: Job['revision'] | undefined;
  for (let failures = 0; ; ) {
    try {
      for await (const { job } of serverStream(channel, JobService.method.watchJob, target, signal)) {
        failures = 0;
        if (job === undefined || job.revision === revision) continue;
        revision = job.revision;
        yield job;
        if (isTerminal(job.state)) return;
      }
      failures++;
      await pause(retry.minBackoffMs, signal);
    } catch (error) {
      const wait = backoff(retry, ++failures, error);
      if (wait === undefined) throw error;
      await pause(wait, signal);
    }
  }
}
