/** `muster retry`: new jobs like ones that have ended. */
import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { eachJob } from '../each-job.ts';
import { handled } from '../invocation.ts';
import { present } from '../present.ts';

export function addRetry(program: Command): void {
  program
    .command('retry')
    .argument('<job...>', 'ids of the jobs')
    .helpGroup('Jobs:')
    .description('Make a new job like each of these, which have ended; muster redrive does so by filter')
    .addHelpText(
      'after',
      `
Examples:
  muster retry 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b
  muster watch $(muster retry 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b --json | jq -r .jobId)`,
    )
    .action(
      handled<object, [jobIds: string[]]>((invocation, _options, jobIds) =>
        eachJob(invocation, jobIds, async ({ jobs, namespace }, jobId) =>
          present((await jobs.retryJob({ namespace, jobId, requestId: randomUUID() })).job, 'job'),
        ),
      ),
    );
}
