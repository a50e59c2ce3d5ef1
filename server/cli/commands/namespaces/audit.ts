/** `muster audit`: the record of manual actions. */
import { AuditActionSchema, type AuditRecord, AuditRecordSchema } from '@muster-jobs/sdk/grpc';
import type { Command } from 'commander';
import { handled, type Invocation } from '../../invocation.ts';
import { timeText } from '../../output/times.ts';
import { allPages } from '../../pages.ts';

export function addAudit(program: Command): void {
  program
    .command('audit')
    .argument('[job]', 'id of a job; all of the namespace without one')
    .helpGroup('Jobs:')
    .description(
      'List manual actions that cannot be undone: erased jobs, skipped steps, workflows and batches that were cancelled, retried or sealed; newest first',
    )
    .addHelpText(
      'after',
      `
Records are kept for a year, those of erased jobs for ever. The caller is not recorded, since callers are not authenticated.
The subject of a retried workflow is the new job, that of a skipped step its name. Single jobs that are cancelled or retried
leave no record.

Examples:
  muster audit
  muster audit 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b --json | jq -r .reason`,
    )
    .action(handled<object, [jobId?: string]>((invocation, _options, jobId) => audit(invocation, jobId ?? '')));
}

async function audit(invocation: Invocation, jobId: string): Promise<void> {
  const { out } = invocation;
  const { audit: service, namespace } = await invocation.connection();
  const all: AuditRecord[] = [];
  for await (const { records } of allPages((pageToken, pageSize) =>
    service.listAuditRecords({ namespace, jobId, pageToken, pageSize }),
  )) {
    if (out.json) for (const record of records) out.message(AuditRecordSchema, record);
    else all.push(...records);
  }
  if (out.json) return;
  out.table(
    [
      { title: 'TIME', value: ({ recordTime }) => timeText(recordTime) },
      { title: 'ACTION', value: ({ action }) => AuditActionSchema.value[action]?.localName ?? String(action) },
      { title: 'JOB', value: (record) => record.jobId },
      { title: 'SUBJECT', value: ({ subject }) => subject },
      { title: 'REASON', value: ({ reason }) => reason, min: 6 },
    ],
    all,
  );
}
