/** `muster explain`: why a job is in its state, in sentences. */
import { JobExplanationSchema } from '@muster-jobs/sdk/grpc';
import type { Command } from 'commander';
import { handled } from '../../invocation.ts';
import { showExplanation } from '../../output/explanation-view.ts';
import { present } from '../../require-field.ts';

export function addExplain(program: Command): void {
  program
    .command('explain')
    .argument('<job>', 'id of the job')
    .helpGroup('Jobs:')
    .description('Explain the state of a job: what it waits for, its position in line, when it may start')
    .addHelpText(
      'after',
      `
It lists what keeps the job from starting, in the order in which that must be resolved, the jobs and sessions involved, and
what you can do about it. For a running job it names the worker, for an ended job the outcome.

Examples:
  muster explain 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b
  muster explain 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b --json | jq .constraints`,
    )
    .action(
      handled<object, [jobId: string]>(async (invocation, _options, jobId) => {
        const connection = await invocation.connection();
        const response = await connection.jobs.explainJob({ namespace: connection.namespace, jobId });
        const explanation = present(response.explanation, 'explanation');
        if (invocation.out.json) return invocation.out.message(JobExplanationSchema, explanation);
        showExplanation(invocation.out, explanation);
      }),
    );
}
