/** `muster retry`: new jobs from ended ones. */
import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { eachJob } from '../../each-job.ts';
import { handled } from '../../invocation.ts';
import { present } from '../../require-field.ts';

interface Options {
  readonly skip?: string[];
  readonly reason?: string;
}

export function addRetry(program: Command): void {
  program
    .command('retry')
    .argument('<job...>', 'ids of the jobs')
    .helpGroup('Jobs:')
    .description('Retry ended jobs as new jobs; muster redrive does so by filter. muster resume continues a paused one')
    .option('--skip <step>', 'step that the new workflow must not run; may be repeated', append)
    .option('--reason <text>', 'why; kept with the skipped steps')
    .addHelpText(
      'after',
      `
Examples:
  muster retry 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b
  muster watch $(muster retry 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b --json | jq -r .jobId)
  muster retry 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b --skip notify --reason 'the mail server is down'`,
    )
    .action(
      handled<Options, [jobIds: string[]]>((invocation, { skip: skipSteps = [], reason = '' }, jobIds) =>
        eachJob(invocation, jobIds, async ({ jobs, namespace }, jobId) => {
          const request = { namespace, jobId, requestId: randomUUID(), skipSteps, reason };
          return present((await jobs.retryJob(request)).job, 'job');
        }),
      ),
    );
}

function append(name: string, before: string[] = []): string[] {
  return [...before, name];
}
