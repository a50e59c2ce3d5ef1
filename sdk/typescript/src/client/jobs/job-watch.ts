/** Watches a job. A stream that breaks is opened again; revisions that were yielded already are skipped. */
import type { Job } from '../../gen/muster/v1/job_pb.ts';
import { JobService } from '../../gen/muster/v1/job_service_pb.ts';
import { isTerminal } from '../../job-state.ts';
import { serverStream } from '../../transport/channel.ts';
import type { Calls } from '../calls.ts';
import { following } from '../following.ts';

export function watchJob(
  { channel, retry }: Calls,
  target: { namespace: string; jobId: string },
  signal: AbortSignal | undefined,
): AsyncGenerator<Job, void> {
  let revision: Job['revision'] | undefined;
  const open = () => serverStream(channel, JobService.method.watchJob, target, signal);
  return following(retry, signal, open, ({ job }) => {
    if (job === undefined || job.revision === revision) return { items: [], isOver: false };
    revision = job.revision;
    return { items: [job], isOver: isTerminal(job.state) };
  });
}
