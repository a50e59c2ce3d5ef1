/** `muster erase`: erases personal data from an ended job permanently. */
import { EraseJobResponseSchema } from '@muster-jobs/sdk/grpc';
import type { Command } from 'commander';
import { handled } from '../../invocation.ts';

interface Options {
  readonly reason: string;
}

export function addErase(program: Command): void {
  program
    .command('erase')
    .argument('<job>', 'id of the ended job')
    .helpGroup('Jobs:')
    .description('Erase the data of an ended job permanently: input, result, failures, progress, labels, key')
    .requiredOption('--reason <text>', 'why, and who asked for it; kept in the audit record, at most 256 characters')
    .addHelpText(
      'after',
      `
The job with its states and times remains. Erased data can't be restored.

Example:
  muster erase 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b --reason 'GDPR request 4711'`,
    )
    .action(
      handled<Options, [jobId: string]>(async (invocation, { reason }, jobId) => {
        const { out } = invocation;
        const { jobs, namespace } = await invocation.connection();
        const response = await jobs.eraseJob({ namespace, jobId, reason });
        if (out.json) return out.message(EraseJobResponseSchema, response);
        out.line(`The data of job ${jobId} is erased; audit record ${response.auditId}`);
      }),
    );
}
