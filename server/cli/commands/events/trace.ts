/** `muster trace`: the spans of a job, computed from the stored job. */
import { Code, type Job, MusterError } from '@muster-jobs/sdk/grpc';
import type { Command } from 'commander';
import { jobTrace, traceDocument } from '../../../view/job-trace.ts';
import type { Connection } from '../../connection.ts';
import { handled } from '../../invocation.ts';
import { showTrace } from '../../output/trace-view.ts';
import { present } from '../../require-field.ts';

export function addTrace(program: Command): void {
  program
    .command('trace')
    .argument('<job>', 'id of the job')
    .helpGroup('Jobs:')
    .description('Draw the trace of a job as a tree: its waits and attempts, with worker, duration and outcome')
    .addHelpText(
      'after',
      `
Computed from the stored job, without a tracing backend. The ids of its spans are derived from the job and the attempt.

Examples:
  muster trace 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b
  muster trace 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b --json | jq -r '.spans[] | .spanId + " " + .name'`,
    )
    .action(
      handled<object, [jobId: string]>(async (invocation, _options, jobId) => {
        const { out } = invocation;
        const connection = await invocation.connection();
        const { namespace, jobs } = connection;
        const job = present((await jobs.getJob({ namespace, jobId })).job, 'job');
        const trace = jobTrace(job, await jobIfStored(connection, job.retryOf));
        if (out.json) return out.document(traceDocument(trace));
        showTrace(out, trace);
      }),
    );
}

/** Undefined without a job, or if it was deleted after its retention. */
async function jobIfStored({ namespace, jobs }: Connection, jobId: string): Promise<Job | undefined> {
  if (jobId === '') return undefined;
  try {
    return present((await jobs.getJob({ namespace, jobId })).job, 'job');
  } catch (error) {
    if (error instanceof MusterError && error.code === Code.NOT_FOUND) return undefined;
    throw error;
  }
}
