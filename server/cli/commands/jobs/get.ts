/** `muster get`: the current state of a job. */
import { type Job, JobSchema, type Payload } from '@muster-jobs/sdk/grpc';
import type { Command } from 'commander';
import { howFarText } from '../../../view/workflow-words.ts';
import { CliError } from '../../failures/cli-error.ts';
import { Exit } from '../../failures/exit-codes.ts';
import { handled } from '../../invocation.ts';
import { showJob } from '../../output/job-view.ts';
import type { Output } from '../../output/output.ts';
import { present } from '../../require-field.ts';
import { runningWorkflow } from '../../workflow/how-far.ts';

interface Options {
  readonly input?: true;
  readonly result?: true;
}

export function addGet(program: Command): void {
  program
    .command('get')
    .argument('<job>', 'id of the job')
    .helpGroup('Jobs:')
    .description('Show a job: its state with the reason, its attempts, its input and its outcome')
    .option('--result', "print the result's bytes as they are, and nothing else")
    .option('--input', "print the input's bytes as they are, and nothing else")
    .addHelpText(
      'after',
      `
Examples:
  muster get 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b
  muster get 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b --result > report.pdf
  muster get 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b --json | jq .attempts`,
    )
    .action(
      handled<Options, [jobId: string]>(async (invocation, { input, result }, jobId) => {
        if (input && result) throw new CliError({ message: 'give either --input or --result' });
        const connection = await invocation.connection();
        const response = await connection.jobs.getJob({ namespace: connection.namespace, jobId });
        const job = present(response.job, 'job');
        if (input) return writeBytes(invocation.out, job.input, `job ${jobId} has no input`);
        if (result) return writeBytes(invocation.out, resultOf(job), `job ${jobId} has no result`);
        if (invocation.out.json) return invocation.out.message(JobSchema, job);
        const workflow = await runningWorkflow(connection, job);
        showJob(invocation.out, job, workflow && howFarText(workflow, Date.now()));
      }),
    );
}

function resultOf({ outcome }: Job): Payload | undefined {
  return outcome.case === 'result' ? outcome.value : undefined;
}

function writeBytes({ stdout }: Output, payload: Payload | undefined, otherwise: string): void {
  if (payload === undefined)
    throw new CliError({ message: otherwise, next: 'muster get JOB shows its state', exitCode: Exit.CONFLICT });
  stdout.write(payload.data);
}
