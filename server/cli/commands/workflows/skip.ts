/** `muster skip`: skips a step of a workflow, or stops it. */
import { randomUUID } from 'node:crypto';
import { WorkflowStepRunSchema } from '@muster-jobs/sdk/grpc';
import type { Command } from 'commander';
import { handled, type Invocation } from '../../invocation.ts';
import { present } from '../../require-field.ts';

interface Options {
  readonly reason?: string;
}

export function addSkip(program: Command): void {
  program
    .command('skip')
    .argument('<job>', "id of the workflow's job")
    .argument('<step>', 'its name')
    .helpGroup('Jobs:')
    .description('Skip a step of a workflow: it does not start, or its running jobs are cancelled')
    .option('--reason <text>', 'why; kept with the step')
    .addHelpText(
      'after',
      `
For later steps it counts as SKIPPED: their trigger rules decide what that means. Ended steps can't be skipped.

Example:
  muster skip 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b notify --reason 'the mail server is down'`,
    )
    .action(handled<Options, [jobId: string, step: string]>(skip));
}

async function skip(invocation: Invocation, { reason = '' }: Options, jobId: string, step: string): Promise<void> {
  const { out } = invocation;
  const { workflows, namespace } = await invocation.connection();
  const response = await workflows.skipStep({ namespace, jobId, step, reason, requestId: randomUUID() });
  const run = present(response.step, 'step');
  if (out.json) out.message(WorkflowStepRunSchema, run);
  else out.line(`Step ${run.name} of ${jobId} is being skipped; muster graph ${jobId} shows it`);
}
